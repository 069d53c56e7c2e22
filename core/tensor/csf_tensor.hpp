#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/index.hpp"
#include "core/base/large_memory.hpp"

namespace tempera {

/// Compressed sparse fibres (CSF): the nonzeros of one process as a tree, one level a mode.
///
/// Level l holds nodes; node c of level l has the index ids(l)[c] in mode mode_order()[l] and the children
/// first_child(l, c) … first_child(l, c + 1) − 1 of level l + 1. The leaves carry the values, in increasing order of
/// their coordinates. On the first merged_levels() levels the children of one node have different indices; all further
/// levels hold one node a nonzero: where fibres are short, running over the nonzeros costs less than a loop for each
/// fibre, which the processor cannot foresee. Indices are local (32 bits); id arrays are padded with kPrefetchPadding
/// zeros that kernels may read ahead into.
/// Memory: 8 bytes a nonzero and 4 more for each level that is not merged, 8 bytes a node of a merged level.
/// Smith & Karypis 2015, "Tensor-matrix products with a compressed sparse tensor".
class CsfTensor {
 public:
  static constexpr std::size_t kPrefetchPadding = 32;
  /// Nonzeros a node from which on a level is merged.
  static constexpr double kLongFibre = 4;

  CsfTensor() = default;

  int order() const { return static_cast<int>(mode_order_.size()); }
  const std::vector<int>& mode_order() const { return mode_order_; }
  /// Level at which a mode lies.
  int level_of(int mode) const;
  Index nodes(int level) const { return node_counts_[static_cast<std::size_t>(level)]; }
  Index nonzeros() const { return static_cast<Index>(values_.size()); }
  /// From 1 to order() − 1: the leaves are not counted.
  int merged_levels() const { return static_cast<int>(pointers_.size()); }

  std::span<const std::uint32_t> ids(int level) const {
    return {ids_[static_cast<std::size_t>(level)].data(), static_cast<std::size_t>(nodes(level))};
  }
  /// Length nodes(level) + 1. @pre level < merged_levels()
  std::span<const std::uint32_t> pointers(int level) const { return pointers_[static_cast<std::size_t>(level)]; }
  /// @pre level < order() − 1, node ≤ nodes(level)
  std::size_t first_child(int level, std::size_t node) const {
    return level < merged_levels() ? pointers_[static_cast<std::size_t>(level)][node] : node;
  }
  std::span<const double> values() const { return values_; }

  std::size_t bytes() const;

 private:
  friend class NonzeroList;
  std::vector<int> mode_order_;
  std::vector<Index> node_counts_;
  std::vector<LargeVector<std::uint32_t>> ids_;
  std::vector<LargeVector<std::uint32_t>> pointers_;
  LargeVector<double> values_;
};

}  // namespace tempera
