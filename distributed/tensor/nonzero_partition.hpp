#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "core/base/index.hpp"
#include "core/tensor/sparse_tensor.hpp"
#include "distributed/communicator/communicator.hpp"
#include "distributed/tensor/mode_parts.hpp"

namespace tempera {

/// Medium-grained N-D partition of a sparse tensor: nonzero (i_0, …, i_{N−1}) belongs to the rank of the grid at
/// (part of i_0, …, part of i_{N−1}).  Smith & Karypis 2016.
///
/// A slice that is too heavy for any part is spread: the part of each of its nonzeros comes from a hash of all
/// coordinates, so that equal coordinates still meet on one rank. Ranks of several layers then touch its row, and the
/// rows of that mode are exchanged among all active ranks.
struct NonzeroPartition {
  std::vector<int> grid;  ///< extents; the product may be below the number of ranks
  std::vector<ModeParts> modes;
  Index nonzeros = 0;  ///< before duplicates are summed
  double balance = 1;  ///< most nonzeros on a rank over the mean of the active ranks
  double volume = 0;   ///< rows exchanged each way in a sweep, all modes and ranks together: an estimate from a sample

  bool spreads(std::size_t mode) const { return !modes[mode].spread_indices().empty(); }

  /// Rank of the nonzero whose coordinate in a mode is index_of(mode).
  template <class IndexOf>
  int rank_of(IndexOf&& index_of) const {
    int rank = 0;
    for (std::size_t mode = modes.size(); mode-- > 0;) {
      int part = modes[mode].part_of(index_of(mode));
      if (part == ModeParts::kSpread) part = spread_part(mode, index_of);
      rank = rank * grid[mode] + part;
    }
    return rank;
  }

 private:
  template <class IndexOf>
  int spread_part(std::size_t mode, IndexOf&& index_of) const {
    std::uint64_t hash = mode;
    for (std::size_t other = 0; other < modes.size(); ++other)
      hash = mix_bits(hash ^ static_cast<std::uint64_t>(index_of(other)));
    return static_cast<int>((hash >> 32) * static_cast<std::uint64_t>(grid[mode]) >> 32);
  }
};

/// Chooses grid and parts. Every rank holds any share of the nonzeros, in blocks. Collective.
///
/// Candidates are all grids whose product is the number of ranks (fewer where the sizes do not allow it), each with
/// contiguous cuts, with dealt bins, and with dealt bins and the giant slices spread. Those that their modes' weights
/// allow to be balanced are ordered by the rows that all ranks exchange (exchange_volume.hpp; from few rows of the tensor
/// at first, the best again from more), those of about equal volume by the rows of the busiest rank. Their true block sizes
/// are counted in that order, and the first with a balance within kGoodBalance (or within what chance gives the fullest of
/// many ranks with few nonzeros) is taken. If there is none, lighter and lighter slices are spread; the best balanced is
/// taken in the end.
/// @param grid  fixed extents, or empty for automatic choice
/// @throws Error{usage} when a fixed grid does not fit the tensor or the ranks
/// Memory: at most 0.3 MB for each mode, kind and extent of a candidate, 1 MB a mode for counts, and 0.13 MB N a mode for
/// the sample. Cost: about three passes over the local nonzeros, and one for each further candidate counted.
NonzeroPartition choose_partition(const Communicator& communicator, std::span<const Index> shape,
                                  std::span<const SparseTensor> blocks, const std::vector<int>& grid = {});

class CandidateParts;

/// The same for any number of ranks, those of other jobs too: what is chosen depends on the nonzeros and that number alone,
/// not on the ranks that choose (they count together).
class PartitionChooser {
 public:
  /// @pre communicator and blocks outlive this. Collective.
  PartitionChooser(const Communicator& communicator, std::span<const Index> shape,
                   std::span<const SparseTensor> blocks);
  ~PartitionChooser();

  Index nonzeros() const { return nonzeros_; }
  /// @param most_sampled  nonzeros of a mode from which exchange volumes are counted at most: fewer for a quick choice
  /// Collective. Parts of extents that come again are kept.
  NonzeroPartition choose(int ranks, const std::vector<int>& grid = {},
                          Index most_sampled = std::numeric_limits<Index>::max());

 private:
  const Communicator& communicator_;
  std::vector<Index> shape_;
  std::span<const SparseTensor> blocks_;
  Index nonzeros_ = 0;
  std::unique_ptr<CandidateParts> parts_;  ///< made for the first partition of several parts
};

constexpr double kGoodBalance = 1.05;

/// kGoodBalance, or what nonzeros that fall at random give the fullest of so many ranks: where these hold few, no partition by
/// slices is more even, and to spread ever lighter ones would only cost words.
double reachable_balance(Index nonzeros, int ranks);

/// Product of the extents.
int grid_ranks(const std::vector<int>& grid);

/// @throws Error{usage} unless `grid` has one extent a mode, none above the size of its mode
void check_grid(std::span<const Index> shape, const std::vector<int>& grid);

/// All ways to write `ranks` as an ordered product of `order` extents, extents[n] ≤ limits[n].
std::vector<std::vector<int>> grid_candidates(int ranks, std::span<const Index> limits);

/// Sends every nonzero to its rank of the partition, in rounds of bounded size; `blocks` is consumed block by block, so
/// that nonzeros are held about once. On one rank the blocks are returned as they are, otherwise one. Inactive ranks end up
/// empty. Collective.
std::vector<SparseTensor> redistribute(const Communicator& communicator, const NonzeroPartition& partition,
                                       std::span<const Index> shape, std::vector<SparseTensor>&& blocks);

/// One after the other as one tensor; each block goes when it has been copied.
std::vector<SparseTensor> joined(std::span<const Index> shape, std::vector<SparseTensor> blocks);

}  // namespace tempera
