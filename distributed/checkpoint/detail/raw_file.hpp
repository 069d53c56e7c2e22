#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

namespace tempera::detail {

/// A file that several ranks read or write at once, each its own byte ranges. Not collective.
class RawFile {
 public:
  enum class Mode { read, write_existing, create };
  /// @throws Error{environment}; for reading Error{input}
  RawFile(std::filesystem::path path, Mode mode);
  RawFile(RawFile&& other) noexcept
      : path_(std::move(other.path_)), mode_(other.mode_), descriptor_(std::exchange(other.descriptor_, -1)) {}
  RawFile& operator=(RawFile&&) = delete;
  ~RawFile();

  const std::filesystem::path& path() const { return path_; }
  std::int64_t size() const;
  /// @throws Error{input} if the file ends too early or the disk cannot read it
  void read(std::int64_t offset, std::span<std::byte> bytes) const;
  /// @throws Error{environment}
  void write(std::int64_t offset, std::span<const std::byte> bytes) const;
  void resize(std::int64_t bytes) const;
  /// The same file anew. @throws as the constructor
  void reopen();
  /// Until it is on the disk.
  void sync() const;
  /// Reports what closing reports: some network file systems find out only then. No use afterwards.
  void close();

 private:
  [[noreturn]] void fail(int error_number) const;

  std::filesystem::path path_;
  Mode mode_;
  int descriptor_ = -1;
};

/// SHA-256 of bytes, 64 hexadecimal digits.
std::string sha256(std::span<const std::byte> bytes);

}  // namespace tempera::detail
