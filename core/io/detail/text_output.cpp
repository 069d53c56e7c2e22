#include "core/io/detail/text_output.hpp"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/atomic_file.hpp"
#include "core/base/system_error.hpp"
#include "core/io/detail/byte_source.hpp"

namespace tempera::detail {

namespace {

class PlainOutput : public TextOutput {
 public:
  explicit PlainOutput(const std::filesystem::path& path) : file_(path) {}
  void write(std::string_view bytes) override { file_.write(bytes); }
  void commit() override { file_.commit(); }

 private:
  AtomicFile file_;
};

class GzipOutput : public TextOutput {
 public:
  explicit GzipOutput(const std::filesystem::path& path)
      : file_(path), stream_(::gzopen(file_.temporary().c_str(), "wb6")) {
    if (stream_ == nullptr) throw write_error(path, errno);
  }
  GzipOutput(const GzipOutput&) = delete;
  GzipOutput& operator=(const GzipOutput&) = delete;
  ~GzipOutput() override {
    if (stream_ != nullptr) ::gzclose_w(stream_);
  }
  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto part = static_cast<unsigned>(std::min<std::size_t>(bytes.size(), 1U << 30));
      errno = 0;
      if (::gzwrite(stream_, bytes.data(), part) != static_cast<int>(part)) fail();
      bytes.remove_prefix(part);
    }
  }
  void commit() override {
    errno = 0;
    if (::gzclose_w(std::exchange(stream_, nullptr)) != Z_OK) fail();
    file_.commit();
  }

 private:
  [[noreturn]] void fail() const { throw write_error(file_.destination(), errno != 0 ? errno : EIO); }

  AtomicFile file_;
  gzFile stream_;
};

}  // namespace

std::unique_ptr<TextOutput> open_text_output(const std::filesystem::path& path) {
  if (has_gzip_name(path)) return std::make_unique<GzipOutput>(path);
  return std::make_unique<PlainOutput>(path);
}

}  // namespace tempera::detail
