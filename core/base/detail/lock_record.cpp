#include "core/base/detail/lock_record.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/system_error.hpp"
#include "core/base/text.hpp"

namespace tempera::detail {

namespace fs = std::filesystem;

namespace {

constexpr int kFormat = 1;
constexpr std::size_t kTokenDigits = 32;
constexpr std::size_t kLargestLock = 1 << 16;
constexpr const char* kNoBeat = "00000000000000000000";

struct Descriptor {
  explicit Descriptor(int opened) : number(opened) {}
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int release() { return std::exchange(number, -1); }
  int number;
};

std::int64_t modified_ns(const struct stat& status) {
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

std::string read_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

struct ProcessFacts {
  char state = '?';
  std::uint64_t threads = 0;
  std::uint64_t start = 0;
};

/// Fields 3, 20 and 22 of /proc/PID/stat; field 2 is a name in parentheses that may hold anything.
std::optional<ProcessFacts> process_facts(const std::string& pid) {
  const std::string line = read_line("/proc/" + pid + "/stat");
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  constexpr int kBetweenStateAndThreads = 20 - 3 - 1;
  ProcessFacts facts;
  std::string skipped;
  fields >> facts.state;
  for (int i = 0; i < kBetweenStateAndThreads; ++i) fields >> skipped;
  fields >> facts.threads >> skipped >> facts.start;
  if (!fields) return std::nullopt;
  return facts;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::uint64_t pid_namespace() {
  struct stat status {};
  return ::stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

std::string random_token() {
  std::array<unsigned char, kTokenDigits / 2> bytes{};
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = ::getrandom(bytes.data() + have, bytes.size() - have, 0);
    if (got < 0 && errno != EINTR)
      throw Error(Category::environment, "", "the system gives no random bytes for the name of a lock");
    if (got > 0) have += static_cast<std::size_t>(got);
  }
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

bool is_token(const std::string& text) {
  return text.size() == kTokenDigits &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

/// What is shown to people must not steer their terminal.
bool is_printable(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string read_at_most(int descriptor, std::size_t limit) {
  std::string text(limit, '\0');
  std::size_t have = 0;
  while (have < limit) {
    const ssize_t got = ::read(descriptor, text.data() + have, limit - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  return text;
}

/// @throws nlohmann::json::exception for what is no lock
LockOwner parse_owner(const nlohmann::json& json) {
  LockOwner owner;
  json.at("host").get_to(owner.host);
  json.at("boot_id").get_to(owner.boot_id);
  json.at("pid_namespace").get_to(owner.pid_namespace);
  json.at("pid").get_to(owner.pid);
  json.at("process_start").get_to(owner.process_start);
  json.at("token").get_to(owner.token);
  json.at("command").get_to(owner.command);
  json.at("started").get_to(owner.started);
  return owner;
}

bool is_sound(const LockOwner& owner) {
  return owner.pid > 0 && owner.pid <= std::numeric_limits<pid_t>::max() && is_token(owner.token) &&
         is_printable(owner.host) && is_printable(owner.command) && is_printable(owner.started);
}

bool has_no_links(int problem) {
  return problem == EPERM || problem == EOPNOTSUPP || problem == ENOSYS || problem == EMLINK;
}

}  // namespace

std::optional<LockRecord> read_lock_record(const fs::path& file) {
  // A link would be followed to a file that need not exist, and a pipe would be waited for.
  const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (opened.number < 0 && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  struct stat status {};
  // Opening first makes a shared file system ask its server for what is true now.
  if ((opened.number >= 0 ? ::fstat(opened.number, &status) : ::lstat(file.c_str(), &status)) != 0 && errno == ENOENT)
    return std::nullopt;
  LockRecord record;
  record.modified_ns = modified_ns(status);
  record.beat = std::to_string(record.modified_ns);
  record.identity = fmt::format("unreadable-{}", status.st_ino);
  if (opened.number < 0) return record;
  const auto json = nlohmann::json::parse(read_at_most(opened.number, kLargestLock), nullptr, false);
  try {
    LockOwner owner = parse_owner(json);
    if (!is_sound(owner)) return record;
    record.beat += json.at("heartbeat").get<std::string>();
    record.identity = owner.token;
    record.owner = std::move(owner);
  } catch (const nlohmann::json::exception&) {
    // unreadable: told by the empty owner
  }
  return record;
}

LockOwner this_process(const std::string& command) {
  LockOwner owner;
  owner.host = host_name();
  owner.boot_id = read_line("/proc/sys/kernel/random/boot_id");
  owner.pid_namespace = pid_namespace();
  owner.pid = ::getpid();
  if (const auto facts = process_facts("self")) owner.process_start = facts->start;
  owner.token = random_token();
  owner.command = command;
  std::replace_if(
      owner.command.begin(), owner.command.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  owner.started = utc_time();
  return owner;
}

LockState state_of(const LockOwner& owner) {
  if (owner.pid <= 0 || owner.boot_id.empty() || owner.pid_namespace == 0 || owner.process_start == 0)
    return LockState::unknown;
  if (owner.host != host_name() || owner.boot_id != read_line("/proc/sys/kernel/random/boot_id") ||
      owner.pid_namespace != pid_namespace())
    return LockState::unknown;
  const auto pid = static_cast<pid_t>(owner.pid);
  const auto is_gone = [&] { return ::kill(pid, 0) != 0 && errno == ESRCH; };
  if (is_gone()) return LockState::dead;
  const auto facts = process_facts(std::to_string(owner.pid));
  if (!facts) return is_gone() ? LockState::dead : LockState::unknown;  // hidden from other users, or just gone
  // Only its parent has not noticed. While other threads of a killed process still go, its files are open.
  const bool ended = (facts->state == 'Z' || facts->state == 'X') && facts->threads <= 1;
  return facts->start != owner.process_start || ended ? LockState::dead : LockState::alive;
}

LockText lock_text(const LockOwner& owner) {
  nlohmann::ordered_json json;
  json["format"] = kFormat;
  json["host"] = owner.host;
  json["boot_id"] = owner.boot_id;
  json["pid_namespace"] = owner.pid_namespace;
  json["pid"] = owner.pid;
  json["process_start"] = owner.process_start;
  json["token"] = owner.token;
  json["command"] = owner.command;
  json["started"] = owner.started;
  json["heartbeat"] = kNoBeat;
  LockText text;
  text.text = json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  text.beat_at = text.text.rfind(kNoBeat);
  return text;
}

std::string beat_text(std::uint64_t count) {
  return fmt::format("{:0{}}", count, kBeatDigits);
}

std::int64_t file_system_time(const fs::path& scratch, const fs::path& blamed) {
  const Descriptor file(::open(scratch.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (file.number < 0) throw write_error(blamed, errno);
  ::futimens(file.number, nullptr);  // of a shared file system: the server's time
  struct stat status {};
  const int problem = ::fstat(file.number, &status) == 0 ? 0 : errno;
  ::unlink(scratch.c_str());
  if (problem != 0) throw write_error(blamed, problem);
  return modified_ns(status);
}

std::optional<int> publish(const fs::path& name, const fs::path& scratch, const std::string& text,
                           const fs::path& blamed) {
  Descriptor file(::open(scratch.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.number < 0) throw write_error(blamed, errno);
  int problem = write_all(file.number, text);
  if (problem == 0 && ::fsync(file.number) != 0) problem = errno;
  if (problem == 0 && ::link(scratch.c_str(), name.c_str()) != 0) problem = errno;
  struct stat status {};
  // Over NFS the answer to a link that was made may be lost and its repetition be told that it exists.
  if (problem == EEXIST && ::fstat(file.number, &status) == 0 && status.st_nlink == 2) problem = 0;
  ::unlink(scratch.c_str());
  if (problem == 0) return file.release();
  if (problem == EEXIST) return std::nullopt;
  if (has_no_links(problem)) return publish_in_place(name, text, blamed);
  throw write_error(blamed, problem);
}

std::optional<int> publish_in_place(const fs::path& name, const std::string& text, const fs::path& blamed) {
  Descriptor file(::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.number < 0 && errno == EEXIST) return std::nullopt;
  if (file.number < 0) throw write_error(blamed, errno);
  int problem = write_all(file.number, text);
  if (problem == 0 && ::fsync(file.number) != 0) problem = errno;
  if (problem == 0) return file.release();
  ::unlink(name.c_str());
  throw write_error(blamed, problem);
}

}  // namespace tempera::detail
