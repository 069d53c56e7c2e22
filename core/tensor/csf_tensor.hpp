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
/// Memory: 12 bytes a leaf (16 where fibres are short), 8 bytes an inner node.
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
  /// Of trees whose fibres are short (fewer than kLongFibre leaves on average): the index of each leaf's parent, so that
  /// kernels run over the leaves of several fibres without a loop for each; padded like ids. Empty otherwise.
  std::span<const std::uint32_t> parent_ids() const { return parent_ids_; }
  static constexpr double kLongFibre = 1.5;

  std::size_t bytes() const;

 private:
  friend class NonzeroList;
  std::vector<int> mode_order_;
  std::vector<Index> node_counts_;
  std::vector<std::vector<std::uint32_t>> ids_;
  std::vector<std::vector<std::uint32_t>> pointers_;
  std::vector<std::uint32_t> parent_ids_;
  std::vector<double> values_;
};

}  // namespace tempera
