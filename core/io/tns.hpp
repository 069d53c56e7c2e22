#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/index.hpp"
#include "core/base/large_memory.hpp"
#include "core/tensor/dense_tensor.hpp"
#include "core/tensor/sparse_tensor.hpp"

/// Text tensors by the rules of FROSTT (.tns, .tns.gz): a line holds one index a mode, then the value, separated by
/// blanks or tabs; lines that begin with '#' and blank lines do not count; no header. The first data line sets the order.
namespace tempera {

struct TnsOptions {
  Index index_base = 1;                            ///< what the file calls the first index of a mode, ≥ 0
  std::vector<Index> dims{};                       ///< declared sizes; empty: the largest index of each mode
  int order = 0;                                   ///< 0: the first data line that is read decides
  std::size_t block_bytes = std::size_t{1} << 20;  ///< text read at a time
};

/// Nonzeros of some blocks of text: one array of 0-based indices a mode, one of values. Storage is kept by clear().
class TnsChunk {
 public:
  int order() const { return order_; }
  Index nonzeros() const { return static_cast<Index>(count_); }
  std::span<const Index> indices(int mode) const { return {indices_[static_cast<std::size_t>(mode)].data(), count_}; }
  std::span<const double> values() const { return {values_.data(), count_}; }
  void clear() { count_ = 0; }
  /// Room for so many nonzeros of a tensor of this order.
  void reserve(int order, Index nonzeros);
  /// The nonzeros as a tensor of this shape; the chunk is empty afterwards and has no storage.
  SparseTensor take(std::vector<Index> shape);

 private:
  friend class TnsParser;
  int order_ = 0;
  std::size_t count_ = 0;
  std::array<LargeVector<Index>, kMaximumOrder> indices_;
  LargeVector<double> values_;
};

/// What is wrong with a line, as data: the number is local to the range that was read.
struct LineError {
  Index line;  ///< 1-based
  std::string what;
  std::string hint;
};

/// Strict parser of text in whole lines. The first bad line ends parsing; later lines are only counted, so that the
/// numbers of lines in later ranges stay right.
/// Cost: one pass; about 5 ns a byte or less.
class TnsParser {
 public:
  /// @throws Error{usage} for a negative base, Error{shape} for impossible dims
  explicit TnsParser(TnsOptions options);

  /// Appends the nonzeros of `lines` to `chunk`. @pre every line ends in '\n'
  void parse(std::string_view lines, TnsChunk& chunk);
  /// Records an error of the line after those seen so far.
  void fail(std::string what, std::string hint);

  int order() const { return options_.order; }  ///< 0 before the first data line
  Index lines() const { return lines_; }        ///< seen so far, comments and blank lines included
  Index nonzeros() const { return nonzeros_; }
  /// Largest index seen plus one in each mode (not the declared size).
  std::vector<Index> extents() const;
  const std::optional<LineError>& error() const { return error_; }

 private:
  enum class Row { skipped, parsed, wrong };
  struct Arrays;
  template <int order>
  const char* parse_rows(const char* position, const char* end, Arrays& arrays);
  Row parse_row_carefully(std::string_view line, std::span<Index> coordinates, double& value);
  bool set_order(std::size_t columns);
  Row wrong(std::string what, std::string hint);

  TnsOptions options_;
  std::array<std::uint64_t, kMaximumOrder> limit_{};  // sizes that indices must stay below
  std::array<std::uint64_t, kMaximumOrder> extent_{};
  Index lines_ = 0;
  Index nonzeros_ = 0;
  std::optional<LineError> error_;
};

namespace detail {
class LineBlocks;
}

/// Reads a file, or the lines that start in a byte range of it, block by block: resident memory is a few MB whatever
/// the size of the file. Ranges that tile the file give every line exactly once.
///
///     TnsReader reader(path, begin, end, options);
///     for (TnsChunk chunk; reader.next(chunk);) use(chunk);
///     if (reader.state().error()) …   // as data: see tns_error
class TnsReader {
 public:
  /// The whole file; a name that ends in ".gz" is decompressed. @throws Error as check_input_file does
  TnsReader(const std::filesystem::path& path, TnsOptions options);
  /// Lines that start in bytes [begin, end) of a file that is not compressed.
  TnsReader(const std::filesystem::path& path, std::int64_t begin, std::int64_t end, TnsOptions options);
  TnsReader(TnsReader&&) noexcept;
  ~TnsReader();

  /// Replaces `chunk` by the nonzeros of the next block, which may be none; false when the range is done.
  /// @throws Error for a file that cannot be read or decompressed, also when a bad line came before the damage; bad
  ///         lines are in state().error()
  bool next(TnsChunk& chunk) {
    chunk.clear();
    return append(chunk);
  }
  /// The same behind what the chunk holds already.
  bool append(TnsChunk& chunk);
  const TnsParser& state() const { return parser_; }

 private:
  std::unique_ptr<detail::LineBlocks> blocks_;
  TnsParser parser_;
};

/// The Error{input} of a bad line, after `lines_before` lines in the ranges before it: "FILE:LINE: what".
Error tns_error(const std::filesystem::path& path, const LineError& error, Index lines_before);
/// The Error{input} of a file without data lines.
Error tns_without_data(const std::filesystem::path& path, Index lines);

/// Order of the tensor in a file, from its first data line (at most `options.dims`, `index_base` are checked on it).
/// @throws Error of check_input_file, of that line, or of a file without data
int tns_order(const std::filesystem::path& path, const TnsOptions& options);

/// Whole file on one process; duplicates are kept. Shape: options.dims, else the largest index of each mode.
/// @throws Error{input} naming FILE:LINE
SparseTensor read_tns(const std::filesystem::path& path, const TnsOptions& options = {});

/// Streaming writer; the file appears under its name at commit() and not before. ".gz" is compressed.
/// Values are the shortest text that reads back to the same double.
class TnsWriter {
 public:
  /// The shape goes into a comment, for people: readers of .tns take sizes from the indices.
  TnsWriter(const std::filesystem::path& path, std::span<const Index> shape, Index index_base = 1);
  TnsWriter(TnsWriter&&) noexcept;
  ~TnsWriter();

  void append(std::span<const Index> coordinates, double value);
  /// @throws Error{environment} if the disk is full; nothing is left behind then
  void commit();

 private:
  struct Sink;
  std::unique_ptr<Sink> sink_;
  Index index_base_;
};

void write_tns(const std::filesystem::path& path, const SparseTensor& tensor, Index index_base = 1);
/// Every cell in column-major order, or only those that are not zero.
void write_tns(const std::filesystem::path& path, const DenseTensor& tensor, bool drop_zeros, Index index_base = 1);

}  // namespace tempera
