#pragma once

#include <limits>
#include <span>
#include <vector>

#include "core/tensor/sparse_tensor.hpp"
#include "distributed/communicator/communicator.hpp"
#include "distributed/tensor/nonzero_partition.hpp"

namespace tempera {

/// Rows exchanged each way in a sweep, all modes together: Σ over modes and rows of (ranks touching the row − 1).
struct ExchangeVolume {
  double total = 0;  ///< over all ranks
  /// Of one rank, if the ranks that touch a row share its cost; at least what the owner of the row with most copies sends
  /// beside a mean share, for that cannot be shared.
  double most = 0;
};

/// Nonzeros of some rows of every mode, from which the exchange volume of any partition is counted.
///
/// Rows are drawn by a hash of their index, as many as a fixed number of nonzeros allows; all nonzeros of a row lie on one
/// rank. Of rows with many nonzeros a part is kept, by a hash of their coordinates, that touches nearly every rank the
/// whole row touches. A tensor of at most kSampled nonzeros a part and at most 64 in each slice is taken whole: then the
/// volume is exact. What is drawn and what is counted depends on the nonzeros and the number of parts alone, never on the
/// ranks that count or on how the nonzeros lie on them.
class VolumeSample {
 public:
  static constexpr Index kSampled = Index{1} << 14;  ///< nonzeros of one mode for each part, about

  /// @param bins, weights  of every mode: contiguous bins and their nonzeros over all ranks
  /// @param parts          ranks of the partitions that will be counted
  /// @param most           nonzeros of one mode in all, at most about
  /// Collective. Memory: 8 N · kSampled bytes a mode on as many ranks as parts. Cost: one pass over the local nonzeros a
  /// mode.
  VolumeSample(const Communicator& communicator, std::span<const SparseTensor> blocks, std::span<const ModeParts> bins,
               std::span<const std::vector<Index>> weights, Index nonzeros, int parts,
               Index most = std::numeric_limits<Index>::max());

  /// Whether no row was left out, so that a larger sample would be the same.
  bool has_all_rows() const;

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
  std::vector<Index> fewest_by_row(std::span<const Index> coordinates, std::size_t mode) const;

  Communicator communicator_;
  int parts_;
  Index most_;
  std::size_t order_;
  std::vector<Rows> modes_;
};

}  // namespace tempera
