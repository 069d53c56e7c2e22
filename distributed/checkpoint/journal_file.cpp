#include "distributed/checkpoint/journal_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <iterator>
#include <utility>

#include "core/base/atomic_file.hpp"
#include "core/base/error.hpp"
#include "core/base/system_error.hpp"

namespace tempera {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kSyncSeconds = 1;
constexpr std::string_view kChecksum = R"(,"crc32":")";
constexpr std::size_t kTail = kChecksum.size() + 8 + 2;  // eight digits and the end of the object

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string checksum(std::string_view text) {
  return fmt::format("{:08x}", crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

std::string line_of(const Json& entry, std::int64_t sequence) {
  Json json = {{"sequence", sequence}};
  json.update(entry);
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.pop_back();
  const std::string sum = checksum(text);
  return text + std::string(kChecksum) + sum + "\"}\n";
}

Json entry_of(const std::filesystem::path& path, std::size_t number, std::string_view line) {
  if (line.size() < kTail || line.substr(line.size() - kTail, kChecksum.size()) != kChecksum || !line.ends_with("\"}"))
    JournalFile::damaged(path, number, "is no line of a journal");
  const std::string_view content = line.substr(0, line.size() - kTail);
  if (line.substr(line.size() - 10, 8) != checksum(content))
    JournalFile::damaged(path, number, "the checksum is wrong");
  Json json = Json::parse(std::string(content) + "}", nullptr, false);
  if (!json.is_object() || !json.contains("sequence")) JournalFile::damaged(path, number, "is no line of a journal");
  if (json.at("sequence") != number - 1)
    JournalFile::damaged(path, number,
                         fmt::format("has number {}, {} should be there", json.at("sequence").dump(), number - 1));
  return json;
}

/// @param whole    gets the bytes of the whole lines
/// @param entries  gets what they say; where it throws, those before
void read_lines(const std::filesystem::path& path, std::string& whole, std::vector<Json>& entries) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(Category::input, path.string(), "the journal of the run cannot be read");
  whole.assign(std::istreambuf_iterator<char>(file), {});
  whole.resize(whole.rfind('\n') == std::string::npos ? 0 : whole.rfind('\n') + 1);
  for (std::size_t begin = 0; begin < whole.size();) {
    const std::size_t end = whole.find('\n', begin);
    entries.push_back(entry_of(path, entries.size() + 1, std::string_view(whole).substr(begin, end - begin)));
    begin = end + 1;
  }
}

/// errno, or 0. Some file systems cannot; they have no fsync to fail.
int synced(int descriptor) {
  return ::fsync(descriptor) == 0 || errno == EINVAL || errno == ENOSYS ? 0 : errno;
}

}  // namespace

void JournalFile::damaged(const std::filesystem::path& path, std::size_t line, const std::string& what) {
  throw Error(Category::input, fmt::format("{}:{}", path.string(), line), what,
              "the file was changed or its disk is failing; the lines before this one are good");
}

std::vector<Json> JournalFile::read(const std::filesystem::path& path) {
  std::string whole;
  std::vector<Json> entries;
  read_lines(path, whole, entries);
  return entries;
}

std::vector<Json> JournalFile::read_good(const std::filesystem::path& path, std::optional<std::string>& damage) {
  std::string whole;
  std::vector<Json> entries;
  damage.reset();
  try {
    read_lines(path, whole, entries);
  } catch (const Error& error) {
    damage = error.where() + ": " + error.what_is_wrong();
  }
  return entries;
}

JournalFile JournalFile::create(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) throw write_error(path, errno);
  JournalFile journal(path, descriptor);
  journal.last_sync_ = now();
  sync_folder(path.parent_path());
  return journal;
}

JournalFile JournalFile::reopen(const std::filesystem::path& path, std::vector<Json>& entries) {
  std::string whole;
  entries.clear();
  read_lines(path, whole, entries);
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (descriptor < 0) throw write_error(path, errno);
  JournalFile journal(path, descriptor);
  if (::ftruncate(descriptor, static_cast<off_t>(whole.size())) != 0) throw write_error(path, errno);
  journal.sequence_ = std::ssize(entries);
  journal.text_ = std::move(whole);
  journal.last_sync_ = now();
  return journal;
}

JournalFile::JournalFile(JournalFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      sequence_(other.sequence_),
      text_(std::move(other.text_)),
      unsynced_(other.unsynced_),
      last_sync_(other.last_sync_),
      syncing_(std::move(other.syncing_)) {}

JournalFile& JournalFile::operator=(JournalFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(sequence_, other.sequence_);
  std::swap(text_, other.text_);
  std::swap(unsynced_, other.unsynced_);
  std::swap(last_sync_, other.last_sync_);
  std::swap(syncing_, other.syncing_);
  return *this;
}

JournalFile::~JournalFile() {
  if (descriptor_ < 0) return;
  if (syncing_.valid()) syncing_.wait();
  if (unsynced_) ::fsync(descriptor_);
  ::close(descriptor_);
}

void JournalFile::append(const Json& entry) {
  const std::string line = line_of(entry, sequence_);
  write(line);
  ++sequence_;
  text_ += line;
  if (now() - last_sync_ > kSyncSeconds) begin_sync();
}

/// What a full disk took of a line is removed again, so that the file ends with a whole one.
void JournalFile::write(std::string_view bytes) {
  unsynced_ = true;
  if (const int error = write_all(descriptor_, bytes); error != 0) {
    static_cast<void>(::ftruncate(descriptor_, static_cast<off_t>(text_.size())) == 0);
    throw write_error(path_, error);
  }
}

void JournalFile::sync() {
  end_sync();
  if (!unsynced_) return;
  if (const int error = synced(descriptor_); error != 0) throw write_error(path_, error);
  unsynced_ = false;
  last_sync_ = now();
}

void JournalFile::begin_sync() {
  if (syncing_.valid() && syncing_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
  end_sync();
  if (!unsynced_) return;
  unsynced_ = false;
  last_sync_ = now();
  syncing_ = std::async(std::launch::async, synced, descriptor_);
}

void JournalFile::end_sync() {
  if (!syncing_.valid()) return;
  if (const int error = syncing_.get(); error != 0) throw write_error(path_, error);
}

void JournalFile::restore() {
  std::error_code nothing;
  std::filesystem::remove(path_, nothing);
  JournalFile anew = create(path_);
  anew.write(text_);
  anew.text_ = std::move(text_);
  anew.sequence_ = sequence_;
  *this = std::move(anew);
}

}  // namespace tempera
