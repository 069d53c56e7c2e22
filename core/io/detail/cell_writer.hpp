#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/atomic_file.hpp"
#include "core/base/index.hpp"
#include "core/io/inference_data.hpp"

namespace tempera::detail {

/// The cells of a variable, which lie in a file one after the other in native byte order.
struct CellArray {
  std::string name;  ///< for messages
  InferenceVariable::Type type = InferenceVariable::Type::float64;
  Index offset = 0;  ///< of the first, in bytes
  Index cells = 0;
  std::vector<std::pair<Index, Index>> written;  ///< [begin, end), in order, neither touching nor overlapping
};

/// Turns doubles into cells of a file whose structure is there already. Memory: a buffer of 1 MiB.
class CellWriter {
 public:
  explicit CellWriter(const AtomicFile& output);
  CellWriter(const CellWriter&) = delete;
  CellWriter& operator=(const CellWriter&) = delete;
  ~CellWriter();

  /// Runs of `length` values, whose beginnings are `stride` apart, become the cells from `first` on without gaps.
  /// @throws Error{numerical} for a value that is no int64 or bool; Error{environment} if the disk is full
  void write(CellArray& array, Index first, const double* values, Index runs, Index length, Index stride);
  /// 0, 1, 2 … in all cells.
  void write_coordinates(CellArray& array);
  /// NaN wherever nothing was written. @pre there is no such cell of int64 or bool
  void fill_gaps(CellArray& array);

 private:
  void encode(const CellArray& array, const double* values, Index count);
  /// Writes the buffer there and moves on.
  void flush(Index& offset);

  const AtomicFile& output_;
  int descriptor_ = -1;
  std::vector<char> buffer_;
  Index used_ = 0;
};

}  // namespace tempera::detail
