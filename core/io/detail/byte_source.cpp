#include "core/io/detail/byte_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>

#include "core/base/error.hpp"
#include "core/io/input_file.hpp"

namespace tempera::detail {

PositionedFile::PositionedFile(const std::filesystem::path& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw input_file_error(path_, errno);
}

PositionedFile::~PositionedFile() {
  ::close(descriptor_);
}

void PositionedFile::expect_sequential_reads(std::int64_t offset) const {
  ::posix_fadvise(descriptor_, offset, 0, POSIX_FADV_SEQUENTIAL);
}

std::size_t PositionedFile::read_at(std::int64_t offset, std::span<char> buffer) const {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const auto position = static_cast<off_t>(offset + static_cast<std::int64_t>(filled));
    const ssize_t got = ::pread(descriptor_, buffer.data() + filled, buffer.size() - filled, position);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw input_file_error(path_, errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

namespace {

class FileSource : public ByteSource {
 public:
  FileSource(const std::filesystem::path& path, std::int64_t offset) : file_(path), offset_(offset) {
    file_.expect_sequential_reads(offset);
  }
  std::size_t read(std::span<char> buffer) override {
    const std::size_t got = file_.read_at(offset_, buffer);
    offset_ += static_cast<std::int64_t>(got);
    return got;
  }

 private:
  PositionedFile file_;
  std::int64_t offset_;
};

class GzipSource : public ByteSource {
 public:
  explicit GzipSource(const std::filesystem::path& path) : path_(path), stream_(::gzopen(path.c_str(), "rb")) {
    if (stream_ == nullptr) throw input_file_error(path_, errno);
    ::gzbuffer(stream_, 1U << 17);
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  ~GzipSource() override { ::gzclose_r(stream_); }

  std::size_t read(std::span<char> buffer) override {
    std::size_t filled = 0;
    while (filled < buffer.size()) {
      const auto wanted = static_cast<unsigned>(std::min<std::size_t>(buffer.size() - filled, 1U << 30));
      const int got = ::gzread(stream_, buffer.data() + filled, wanted);
      // zlib passes bytes through unchanged when they do not start with the magic number of gzip.
      if (::gzdirect(stream_) != 0)
        throw Error(Category::input, path_.string(), "is not a gzip file",
                    "remove .gz from its name if it is plain text");
      total_ += std::max(got, 0);
      check_stream();
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    return filled;
  }

 private:
  void check_stream() const {
    int code = Z_OK;
    const char* text = ::gzerror(stream_, &code);
    if (code == Z_OK || code == Z_STREAM_END) return;
    const char* hint = "copy or download the file again; gzip -t checks it";
    if (code == Z_BUF_ERROR)
      throw Error(Category::input, path_.string(),
                  fmt::format("the gzip file is cut short (after {} bytes of text)", total_), hint);
    if (code == Z_ERRNO) throw input_file_error(path_, errno);
    const std::string reason = text;
    throw Error(Category::input, path_.string(),
                fmt::format("the gzip file is corrupt ({})",
                            reason.substr(reason.rfind(": ") == std::string::npos ? 0 : reason.rfind(": ") + 2)),
                hint);
  }

  std::filesystem::path path_;
  gzFile stream_;
  std::int64_t total_ = 0;
};

}  // namespace

std::unique_ptr<ByteSource> open_file_source(const std::filesystem::path& path, std::int64_t offset) {
  return std::make_unique<FileSource>(path, offset);
}

std::unique_ptr<ByteSource> open_gzip_source(const std::filesystem::path& path) {
  return std::make_unique<GzipSource>(path);
}

bool has_gzip_name(const std::filesystem::path& path) {
  return path.extension() == ".gz";
}

}  // namespace tempera::detail
