#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "distributed/tensor/candidate_parts.hpp"
#include "distributed/tensor/exchange_volume.hpp"
#include "distributed/tensor/nonzero_partition.hpp"

namespace tempera {

/// Looks for the partition with about the least exchange volume among the balanced ones; see PartitionChooser.
///
/// Volumes of many grids are counted from few rows at first, those of the best again from as many as are allowed: whole
/// small tensors at once, so that the choice then rests on exact volumes.
class PartitionSearch {
 public:
  /// @param grids         of equal products
  /// @param good          balance that is even enough
  /// @param most_sampled  nonzeros of a mode from which volumes are counted at most
  /// @pre communicator, blocks and parts outlive this. Collective.
  PartitionSearch(const Communicator& communicator, std::span<const SparseTensor> blocks, CandidateParts& parts,
                  std::vector<std::vector<int>> grids, double good, Index most_sampled);

  /// The first in order of volume that is balanced, the best balanced if none is. Collective.
  NonzeroPartition find();

 private:
  struct Candidate {
    std::size_t grid;
    PartsKind kind;
    double bound;  ///< no balance is below; what is even enough counts as equal
    ExchangeVolume volume;
  };

  static bool is_before(const Candidate& a, const Candidate& b);
  bool try_kinds(std::span<const PartsKind> kinds);
  bool try_candidates(std::span<Candidate> candidates);
  void add_candidates(PartsKind kind, std::vector<Candidate>& candidates);
  void count(const VolumeSample& sample, std::span<Candidate> candidates);
  void sort_by_volume(std::span<Candidate> candidates) const;
  double balance_of(const NonzeroPartition& partition) const;

  const Communicator& communicator_;
  std::span<const SparseTensor> blocks_;
  CandidateParts& parts_;
  std::vector<std::vector<int>> grids_;
  double good_;
  VolumeSample rough_;
  std::vector<VolumeSample> fine_;  ///< none if it were the rough one again
  NonzeroPartition best_;
};

}  // namespace tempera
