#include "core/io/detail/byte_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <string>
#include <vector>

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

/// zlib's own reader of files passes over garbage behind the stream without a word, so this one inflates by itself.
class GzipSource : public ByteSource {
 public:
  explicit GzipSource(const std::filesystem::path& path) : path_(path), file_(path), compressed_(kBufferBytes) {
    file_.expect_sequential_reads(0);
    if (::inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  ~GzipSource() override { ::inflateEnd(&stream_); }

  std::size_t read(std::span<char> buffer) override {
    std::size_t filled = 0;
    while (filled < buffer.size() && (in_member_ || begin_member())) {
      const auto room = static_cast<unsigned>(std::min<std::size_t>(buffer.size() - filled, 1U << 30));
      stream_.next_out = reinterpret_cast<Bytef*>(buffer.data() + filled);
      stream_.avail_out = room;
      fill();
      check(::inflate(&stream_, Z_NO_FLUSH));
      filled += room - stream_.avail_out;
      total_ += room - stream_.avail_out;
    }
    return filled;
  }

 private:
  static constexpr std::size_t kBufferBytes = std::size_t{1} << 17;
  static constexpr int kGzipOnly = 15 + 16;  // the largest window, and no other wrapper than that of gzip

  /// Reads on when fewer than two bytes are left: so many tell whether another member begins.
  void fill() {
    if (stream_.avail_in >= 2 || at_end_) return;
    const std::size_t left = stream_.avail_in;
    if (left > 0) compressed_[0] = static_cast<char>(*stream_.next_in);
    const std::size_t got = file_.read_at(offset_, std::span(compressed_).subspan(left));
    at_end_ = got < compressed_.size() - left;
    offset_ += static_cast<std::int64_t>(got);
    stream_.next_in = reinterpret_cast<Bytef*>(compressed_.data());
    stream_.avail_in = static_cast<unsigned>(left + got);
  }

  /// False at the end of the file. Members may follow each other; zlib checks the sums at the end of each.
  bool begin_member() {
    fill();
    const bool first = total_ < 0;
    if (stream_.avail_in == 0 && !first) return false;
    if (stream_.avail_in < 2 || stream_.next_in[0] != 0x1f || stream_.next_in[1] != 0x8b) {
      if (!first) throw refused("bytes that are not gzip follow the compressed text");
      throw Error(Category::input, path_.string(), "is not a gzip file",
                  "remove .gz from its name if it is plain text");
    }
    total_ = std::max<std::int64_t>(total_, 0);
    ::inflateReset(&stream_);
    in_member_ = true;
    return true;
  }

  void check(int code) {
    if (code == Z_OK) return;
    if (code == Z_STREAM_END)
      in_member_ = false;
    else if (code == Z_MEM_ERROR)
      throw std::bad_alloc();
    else if (code == Z_BUF_ERROR && at_end_)
      throw refused(fmt::format("the gzip file is cut short (after {} bytes of text)", total_));
    else if (code != Z_BUF_ERROR)
      throw refused(fmt::format("the gzip file is corrupt ({})",
                                stream_.msg != nullptr ? stream_.msg : "a dictionary is wanted"));
  }

  Error refused(const std::string& what) const {
    return Error(Category::input, path_.string(), what, "copy or download the file again; gzip -t checks it");
  }

  std::filesystem::path path_;
  PositionedFile file_;
  std::vector<char> compressed_;
  z_stream stream_{};
  std::int64_t offset_ = 0;
  std::int64_t total_ = -1;  // bytes of text so far; -1 before the first member
  bool in_member_ = false;
  bool at_end_ = false;
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
