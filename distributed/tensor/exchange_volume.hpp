#pragma once

#include <span>
#include <vector>

#include "core/tensor/sparse_tensor.hpp"
#include "distributed/communicator/communicator.hpp"
#include "distributed/tensor/nonzero_partition.hpp"

namespace tempera {

/// Rows exchanged each way in a sweep, all modes together: Σ over modes and rows of (ranks touching the row − 1).
struct ExchangeVolume {
  double total = 0;  ///< over all ranks
  double most = 0;   ///< of one rank, if the ranks that touch a row share its cost
};

/// Nonzeros of some rows of every mode, from which the exchange volume of any partition is counted.
///
/// Rows are drawn by a hash of their index, as many as a fixed number of nonzeros allows; all nonzeros of a row lie on one
/// rank. Of rows with many nonzeros a part is kept that touches nearly every rank the whole row touches. A tensor of at
/// most kSampled nonzeros a rank and at most 64 in each slice is taken whole: then the volume is exact.
class VolumeSample {
 public:
  static constexpr Index kSampled = Index{1} << 14;  ///< nonzeros of one mode on a rank, about

  /// @param bins, weights  of every mode: contiguous bins and their nonzeros over all ranks
  /// Collective. Memory: 8 N · kSampled bytes a mode. Cost: one pass over the local nonzeros a mode.
  VolumeSample(const Communicator& communicator, std::span<const SparseTensor> blocks, std::span<const ModeParts> bins,
               std::span<const std::vector<Index>> weights, Index nonzeros);

  /// Collective.
  ExchangeVolume count(const NonzeroPartition& partition) const;

 private:
  struct Rows {
    double share = 1;                ///< of all rows that were drawn
    std::vector<Index> coordinates;  ///< nonzero after nonzero, those of a row side by side
  };

  Rows draw(std::span<const SparseTensor> blocks, std::size_t mode, const ModeParts& bins,
            std::span<const Index> weights, Index nonzeros) const;
  std::vector<Index> gathered_by_row(std::span<const Index> coordinates, std::size_t mode) const;

  Communicator communicator_;
  std::size_t order_;
  std::vector<Rows> modes_;
};

}  // namespace tempera
