#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// Compressed sparse fibres (CSF): the nonzeros of one process as a tree, one level a mode.
///
/// Level l holds nodes; node c of level l has the index ids(l)[c] in mode mode_order()[l] and the children
/// pointers(l)[c] … pointers(l)[c + 1] − 1 of level l + 1. The leaves carry the values. Children of one node are in
/// increasing order of index and no two are equal. Indices are local (32 bits); the id arrays of the leaf level are
/// padded with kPrefetchPadding zeros that kernels may read ahead into.
/// Memory: 12 bytes a leaf and 4 more for each flat level, 8 bytes an inner node.
/// Smith & Karypis 2015, "Tensor-matrix products with a compressed sparse tensor".
class CsfTensor {
 public:
  static constexpr std::size_t kPrefetchPadding = 32;

  CsfTensor() = default;

  int order() const { return static_cast<int>(mode_order_.size()); }
  const std::vector<int>& mode_order() const { return mode_order_; }
  /// Level at which a mode lies.
  int level_of(int mode) const;
  Index nodes(int level) const { return node_counts_[static_cast<std::size_t>(level)]; }
  Index nonzeros() const { return static_cast<Index>(values_.size()); }

  std::span<const std::uint32_t> ids(int level) const {
    return {ids_[static_cast<std::size_t>(level)].data(), static_cast<std::size_t>(nodes(level))};
  }
  /// Length nodes(level) + 1. @pre level < order() − 1
  std::span<const std::uint32_t> pointers(int level) const { return pointers_[static_cast<std::size_t>(level)]; }
  std::span<const double> values() const { return values_; }
  /// Levels above the leaves, from the bottom up and without the root, that have nearly as many nodes as there are
  /// leaves (fewer than kLongFibre leaves a node). Of these each leaf knows its ancestor's index, so that kernels run over
  /// the leaves without a loop for each node.
  int flat_levels() const { return static_cast<int>(ancestor_ids_.size()); }
  /// Index of each leaf's ancestor `above` levels up, padded like ids. @pre 1 ≤ above ≤ flat_levels()
  std::span<const std::uint32_t> ancestor_ids(int above) const {
    return ancestor_ids_[static_cast<std::size_t>(above) - 1];
  }
  static constexpr double kLongFibre = 1.5;

  std::size_t bytes() const;

 private:
  friend class NonzeroList;
  std::vector<int> mode_order_;
  std::vector<Index> node_counts_;
  std::vector<std::vector<std::uint32_t>> ids_;
  std::vector<std::vector<std::uint32_t>> pointers_;
  std::vector<std::vector<std::uint32_t>> ancestor_ids_;
  std::vector<double> values_;
};

}  // namespace tempera
