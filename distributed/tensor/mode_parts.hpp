#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// Finaliser of SplitMix64 (Steele, Lea & Flood 2014): a bijection that spreads neighbouring numbers.
constexpr std::uint64_t mix_bits(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// Assignment of the indices of one mode to the parts 0 … parts − 1 of a process grid.
///
/// Indices fall into at most kMaximumBins bins (one index a bin for modes up to that size), bins belong to parts; so the
/// table stays small however long the mode is. Bins are either runs of neighbouring indices, whose cuts keep the
/// locality of the data, or pseudo-random sets of indices, which spread skewed and correlated data. Single indices can
/// be taken out: their nonzeros are spread over all parts.
class ModeParts {
 public:
  static constexpr Index kMaximumBins = Index{1} << 16;
  /// Part of an index whose nonzeros are spread over all parts.
  static constexpr int kSpread = -1;

  /// Everything in one part.
  static ModeParts whole(Index size);
  /// Bins for a mode, all in part 0 yet.
  static ModeParts bins_for(Index size, bool scattered);

  Index bins() const { return static_cast<Index>(part_of_bin_.size()); }
  Index bin_of(Index index) const {
    return scattered_ ? static_cast<Index>(mixed(index) & (kMaximumBins - 1)) : index >> shift_;
  }
  /// Of contiguous bins; the last may have fewer.
  Index indices_a_bin() const { return Index{1} << shift_; }
  bool one_index_a_bin() const { return !scattered_ && shift_ == 0; }
  int parts() const { return parts_; }
  /// Part of those indices of the bin that are not spread.
  int part_of_bin(Index bin) const {
    const std::int32_t part = part_of_bin_[static_cast<std::size_t>(bin)];
    return part >= 0 ? part : ~part;
  }
  int part_of(Index index) const {
    if (parts_ == 1) return 0;
    const std::int32_t part = part_of_bin_[static_cast<std::size_t>(bin_of(index))];
    return part >= 0 ? part : part_of_spread_bin(index, ~part);
  }
  /// Indices whose nonzeros are spread over the parts, increasing; none with one part.
  std::span<const Index> spread_indices() const { return spread_; }

  /// Contiguous runs of bins with the smallest possible largest weight (chains on chains: binary search on the
  /// bottleneck with a greedy probe; Pınar & Aykanat 2004).
  void cut(std::span<const Index> weights, int parts);
  /// Heaviest bins first, each to the lightest part (longest processing time rule, Graham 1969).
  void deal(std::span<const Index> weights, int parts);
  /// After cut or deal, whose weights were without them: these indices (increasing) belong to no part any more.
  void spread(std::vector<Index> indices);

 private:
  static std::uint64_t mixed(Index index) { return mix_bits(static_cast<std::uint64_t>(index)); }
  int part_of_spread_bin(Index index, int part) const {
    return std::binary_search(spread_.begin(), spread_.end(), index) ? kSpread : part;
  }

  bool scattered_ = false;
  int shift_ = 0;
  int parts_ = 1;
  std::vector<std::int32_t> part_of_bin_;  ///< ~part for a bin with spread indices
  std::vector<Index> spread_;
};

}  // namespace tempera
