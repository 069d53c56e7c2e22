#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "core/io/detail/byte_source.hpp"

namespace tempera::detail {

/// Text in blocks of whole lines; every line ends in '\n', also the last one of a file that lacks it.
///
/// A byte range [begin, end) owns the lines that start in it, so ranges that tile a file give every line exactly once.
/// Memory: one buffer of block_bytes, larger only for longer lines.
class LineBlocks {
 public:
  /// A line beyond this length is handed out in pieces (see overlong).
  static constexpr std::size_t kLongestLine = std::size_t{1} << 20;

  LineBlocks(const std::filesystem::path& path, std::int64_t begin, std::int64_t end, std::size_t block_bytes);
  /// All decompressed lines of a gzip file.
  LineBlocks(const std::filesystem::path& gzip_path, std::size_t block_bytes);

  /// The next lines; empty when there are none left. Valid until the next call.
  std::string_view next();
  /// Reads what is left of a gzip file and forgets it, so that damage shows. @throws Error of the gzip source
  void check_rest_of_gzip();
  /// True once a line longer than kLongestLine was met; the view then holds a piece of it without '\n'.
  bool overlong() const { return overlong_; }

 private:
  void fill();
  void drop(std::size_t bytes);
  bool skip_partial_line();
  std::size_t owned_bytes() const;

  std::unique_ptr<ByteSource> source_;
  std::vector<char> buffer_;
  std::size_t filled_ = 0;
  std::size_t handed_out_ = 0;
  std::int64_t position_;  // offset in the source of buffer_[0]
  std::int64_t end_;
  bool at_end_of_source_ = false;
  bool at_line_start_;
  bool is_gzip_ = false;
  bool overlong_ = false;
};

}  // namespace tempera::detail
