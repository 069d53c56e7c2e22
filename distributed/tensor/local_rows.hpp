#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor/sparse_tensor.hpp"

namespace tempera {

/// Indices of one mode, all below `size`, that occur in the nonzeros, increasing. Memory: at most 8 bytes a nonzero.
std::vector<Index> distinct_indices(std::span<const SparseTensor> blocks, int mode, Index size);

/// Local number of every global row that a rank touches.
class LocalRows {
 public:
  LocalRows() = default;
  /// @param touched      global rows, increasing
  /// @param global_rows  the same rows in their local order
  /// @param lookups      how often numbers will be asked for: decides between a table of the span of the rows and a search
  LocalRows(std::span<const Index> touched, std::span<const Index> global_rows, Index lookups);

  /// Local number of a row that is touched.
  std::uint32_t operator[](Index row) const {
    return table_[touched_.empty() ? static_cast<std::size_t>(row - first_) : place_of(row)];
  }
  /// Local numbers of `rows`, all of them touched; result has the same length.
  void find(std::span<const Index> rows, std::span<std::uint32_t> result) const;

 private:
  std::size_t place_of(Index row) const;

  Index first_ = 0;
  std::vector<std::uint32_t> table_;  ///< by distance from the first row, or beside `touched_`
  std::vector<Index> touched_;        ///< empty where the table has the whole span
};

}  // namespace tempera
