#pragma once

#include <span>
#include <vector>

#include "core/base/index.hpp"
#include "core/base/large_memory.hpp"

namespace tempera {

/// Sparse tensor in coordinate form (COO): the exchange format between readers, partitioner and CSF, and the oracle
/// of the tests. Structure of arrays: one index array a mode, one value array, all of length nonzeros().
/// Coordinates are 0-based; they need not be sorted and may repeat until sum_duplicates() is called.
class SparseTensor {
 public:
  SparseTensor() = default;

  /// Empty tensor of this shape. @throws Error{shape} for an order outside 2..8 or a size below 1
  explicit SparseTensor(std::vector<Index> shape);
  /// Takes arrays that are already there: indices[mode] and values, all of one length.
  /// @pre one index array a mode, every index inside the shape
  SparseTensor(std::vector<Index> shape, std::vector<LargeVector<Index>> indices, LargeVector<double> values);

  int order() const { return static_cast<int>(shape_.size()); }
  const std::vector<Index>& shape() const { return shape_; }
  Index nonzeros() const { return static_cast<Index>(values_.size()); }

  std::span<const Index> indices(int mode) const { return indices_[static_cast<std::size_t>(mode)]; }
  std::span<Index> indices(int mode) { return indices_[static_cast<std::size_t>(mode)]; }
  std::span<const double> values() const { return values_; }
  std::span<double> values() { return values_; }

  void reserve(Index nonzeros);
  /// Appends one entry. @pre one coordinate a mode, each inside the shape
  void append(std::span<const Index> coordinates, double value);

  /// Sorts by coordinates (last mode fastest) and adds entries with equal coordinates; values that meet are added in
  /// increasing order of value, so that the sum does not depend on the order of the file.
  /// @return the number of entries that were merged into another one
  Index sum_duplicates();

  /// Frees the indices of one mode; the tensor may then only be read through the other modes and the values.
  void release_indices(int mode) { LargeVector<Index>().swap(indices_[static_cast<std::size_t>(mode)]); }

  /// Enlarges (never shrinks) the shape. @throws Error{shape} naming the mode
  void enlarge(std::span<const Index> shape);

 private:
  std::vector<Index> shape_;
  std::vector<LargeVector<Index>> indices_;
  LargeVector<double> values_;
};

/// Throws Error{shape} unless the order is 2..8, every size is at least 1 and the number of cells fits what
/// `cells_must_fit` asks for (dense data must be indexable by 63 bits).
void check_shape(std::span<const Index> shape, bool cells_must_fit);

/// Product of the sizes as a double (it may exceed 2^63 for sparse tensors).
double cell_count(std::span<const Index> shape);

}  // namespace tempera
