#pragma once

#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "distributed/tensor/heavy_slices.hpp"
#include "distributed/tensor/nonzero_partition.hpp"

namespace tempera {

/// How the indices of a mode become parts.
struct PartsKind {
  bool scattered = false;   ///< dealt bins, not contiguous cuts
  double spread_share = 0;  ///< slices above this share of a fair part are spread; 0: none
};

/// Parts of every mode for each kind and each extent that a candidate grid asks for, made once.
///
/// All operations are collective: counts over the ranks are taken when they are first needed.
class CandidateParts {
 public:
  /// @pre nonzeros > 0, those of all ranks; `blocks` outlive this
  CandidateParts(std::span<const Index> shape, const Communicator& communicator, std::span<const SparseTensor> blocks,
                 Index nonzeros);

  /// Contiguous bins of every mode, and the nonzeros in each of them over all ranks.
  const std::vector<ModeParts>& cut_bins() const { return bins_[0]; }
  const std::vector<std::vector<Index>>& cut_weights() const { return weights_[0]; }
  Index nonzeros() const { return nonzeros_; }

  NonzeroPartition partition(const std::vector<int>& grid, PartsKind kind);
  /// Most nonzeros in one part of a mode over their mean, for the worst mode: no block can be fairer than that.
  double balance_bound(const std::vector<int>& grid, PartsKind kind);
  /// Whether some slice is spread.
  bool spreads(const std::vector<int>& grid, PartsKind kind);

 private:
  struct Entry {
    ModeParts parts;
    double heaviest = 0;
  };
  struct Slices {
    Index least;
    std::vector<HeavySlice> slices;
  };
  using Key = std::tuple<std::size_t, int, bool, double>;

  const Entry& entry(std::size_t mode, int extent, PartsKind kind);
  Entry made(std::size_t mode, int extent, PartsKind kind);
  void make_scattered_weights();
  std::vector<HeavySlice> slices_above(std::size_t mode, double least);

  const Communicator& communicator_;
  std::span<const SparseTensor> blocks_;
  Index nonzeros_;
  std::vector<ModeParts> bins_[2];  ///< contiguous, scattered
  std::vector<std::vector<Index>> weights_[2];
  std::map<Key, Entry> entries_;
  std::map<std::size_t, Slices> slices_;
};

}  // namespace tempera
