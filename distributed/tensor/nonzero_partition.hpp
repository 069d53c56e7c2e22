#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/index.hpp"
#include "core/tensor/sparse_tensor.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

/// Assignment of the indices of one mode to the parts 0 … parts − 1 of a process grid.
///
/// Indices fall into at most kMaximumBins bins (one index a bin for modes up to that size), bins belong to parts; so the
/// table stays small however long the mode is. Bins are either runs of neighbouring indices, whose cuts keep the
/// locality of the data, or pseudo-random sets of indices, which spread skewed and correlated data.
class ModeParts {
 public:
  static constexpr Index kMaximumBins = Index{1} << 16;

  /// Everything in one part.
  static ModeParts whole(Index size);
  /// Bins for a mode, all in part 0 yet.
  static ModeParts bins_for(Index size, bool scattered);

  Index bins() const { return static_cast<Index>(part_of_bin_.size()); }
  Index bin_of(Index index) const {
    return scattered_ ? static_cast<Index>(mixed(index) & (kMaximumBins - 1)) : index >> shift_;
  }
  int parts() const { return parts_; }
  int part_of_bin(Index bin) const { return part_of_bin_[static_cast<std::size_t>(bin)]; }
  int part_of(Index index) const { return parts_ == 1 ? 0 : part_of_bin_[static_cast<std::size_t>(bin_of(index))]; }

  /// Contiguous runs of bins with the smallest possible largest weight (chains on chains: binary search on the
  /// bottleneck with a greedy probe; Pınar & Aykanat 2004).
  void cut(std::span<const Index> weights, int parts);
  /// Heaviest bins first, each to the lightest part (longest processing time rule, Graham 1969).
  void deal(std::span<const Index> weights, int parts);

 private:
  static std::uint64_t mixed(Index index);

  bool scattered_ = false;
  int shift_ = 0;
  int parts_ = 1;
  std::vector<std::int32_t> part_of_bin_;
};

/// Medium-grained N-D partition of a sparse tensor: nonzero (i_0, …, i_{N−1}) belongs to the rank of the grid at
/// (part of i_0, …, part of i_{N−1}).  Smith & Karypis 2016.
struct NonzeroPartition {
  std::vector<int> grid;  ///< extents; the product may be below the number of ranks
  std::vector<ModeParts> modes;
  Index nonzeros = 0;      ///< before duplicates are summed
  double balance = 1;      ///< most nonzeros on a rank over the mean of the active ranks
  bool scattered = false;  ///< true when neighbouring cuts could not balance and indices were dealt out
};

/// Chooses grid and parts. Every rank holds any share of the nonzeros, in blocks. Collective.
///
/// Candidates are all grids whose product is the number of ranks (fewer where the sizes do not allow it), ordered by
/// the estimated rows each rank exchanges, those that no parts can balance last. Their true block sizes are counted, and
/// the first with a balance within kGoodBalance is taken: contiguous cuts first, then dealt bins; else the best balanced.
/// @param grid  fixed extents, or empty for automatic choice
/// @throws Error{usage} when a fixed grid does not fit the tensor or the ranks
/// Memory: at most 0.5 MB a mode. Cost: one pass over the local nonzeros for each candidate counted.
NonzeroPartition choose_partition(const Communicator& communicator, std::span<const Index> shape,
                                  std::span<const SparseTensor> blocks, const std::vector<int>& grid = {});

constexpr double kGoodBalance = 1.05;

/// @throws Error{usage} unless `grid` has one extent a mode, none above the size of its mode
void check_grid(std::span<const Index> shape, const std::vector<int>& grid);

/// All ways to write `ranks` as an ordered product of `order` extents, extents[n] ≤ limits[n].
std::vector<std::vector<int>> grid_candidates(int ranks, std::span<const Index> limits);

/// Sends every nonzero to its rank of the partition, in rounds of bounded size; `blocks` is consumed block by block, so
/// that nonzeros are held about once. Inactive ranks end up empty. Collective.
SparseTensor redistribute(const Communicator& communicator, const NonzeroPartition& partition,
                          std::span<const Index> shape, std::vector<SparseTensor>&& blocks);

}  // namespace tempera
