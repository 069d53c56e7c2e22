#include "core/io/detail/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/io/detail/byte_source.hpp"

namespace tempera::detail {

Error output_file_error(const std::filesystem::path& path, int error_number) {
  const char* hint = "check that the folder exists and is writable";
  if (error_number == ENOSPC || error_number == EDQUOT) hint = "free some space or write elsewhere; nothing was left behind";
  if (error_number == EFBIG) hint = "raise the limit on the size of files (ulimit -f); nothing was left behind";
  return Error(Category::environment, path.string(),
               fmt::format("cannot write: {}", std::generic_category().message(error_number)), hint);
}

OutputFile::OutputFile(std::filesystem::path path) : path_(std::move(path)) {
  for (int attempt = 0; descriptor_ < 0; ++attempt) {
    temporary_ = fmt::format("{}.tmp-{}-{}", path_.string(), ::getpid(), attempt);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) throw output_file_error(path_, errno);
  }
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputFile::fail(int error_number) const { throw output_file_error(path_, error_number); }

void OutputFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void OutputFile::commit() {
  if (::fsync(descriptor_) != 0 && errno != EINVAL) fail(errno);
  const int closed = ::close(std::exchange(descriptor_, -1));
  if (closed != 0) fail(errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
  temporary_.clear();
}

namespace {
class GzipOutput : public OutputFile {
 public:
  explicit GzipOutput(const std::filesystem::path& path) : OutputFile(path), stream_(::gzdopen(::dup(descriptor()), "wb6")) {
    if (stream_ == nullptr) fail(errno);
  }
  ~GzipOutput() override {
    if (stream_ != nullptr) ::gzclose_w(stream_);
  }
  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto part = static_cast<unsigned>(std::min<std::size_t>(bytes.size(), 1U << 30));
      if (::gzwrite(stream_, bytes.data(), part) != static_cast<int>(part)) fail(errno);
      bytes.remove_prefix(part);
    }
  }
  void commit() override {
    errno = 0;
    if (::gzclose_w(std::exchange(stream_, nullptr)) != Z_OK) fail(errno != 0 ? errno : EIO);
    OutputFile::commit();
  }

 private:
  gzFile stream_;
};
}  // namespace

std::unique_ptr<OutputFile> open_text_output(const std::filesystem::path& path) {
  if (has_gzip_name(path)) return std::make_unique<GzipOutput>(path);
  return std::make_unique<OutputFile>(path);
}

}  // namespace tempera::detail
