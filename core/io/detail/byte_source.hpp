#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace tempera::detail {

/// Bytes in order, from a file or out of a decompressor.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills `buffer` as far as there are bytes; less than its length only at the end. @throws Error naming the file
  virtual std::size_t read(std::span<char> buffer) = 0;
};

/// File that is read at given positions.
class PositionedFile {
 public:
  explicit PositionedFile(const std::filesystem::path& path);
  PositionedFile(const PositionedFile&) = delete;
  PositionedFile& operator=(const PositionedFile&) = delete;
  ~PositionedFile();
  /// Fills `buffer` from byte `offset` on; returns less than its length only at the end of the file.
  std::size_t read_at(std::int64_t offset, std::span<char> buffer) const;
  /// Tells the system that reading goes from `offset` to the end.
  void expect_sequential_reads(std::int64_t offset) const;

 private:
  std::filesystem::path path_;
  int descriptor_;
};

/// Plain file from byte `offset` on.
std::unique_ptr<ByteSource> open_file_source(const std::filesystem::path& path, std::int64_t offset);

/// Decompressed bytes of a gzip file. A stream that is cut short, corrupt, followed by
/// other bytes or not gzip at all is an Error{input}.
std::unique_ptr<ByteSource> open_gzip_source(const std::filesystem::path& path);

/// True for names that end in ".gz".
bool has_gzip_name(const std::filesystem::path& path);

}  // namespace tempera::detail
