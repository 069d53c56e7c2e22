#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "core/sampling/explorer.hpp"
#include "core/sampling/target.hpp"
#include "distributed/communicator/operation_traffic.hpp"
#include "distributed/tempering/tempering.hpp"

namespace tempera {

/// A run of sample_by_tempering that need not run: on how many ranks, and what of its target and explorer decides how much
/// it sends and keeps.
struct TemperingPlan {
  int ranks = 1;  ///< that run the sampler
  TemperingOptions options;
  Index dimension = 1;
  Index constrained_size = 1;
  int step_sizes = 0;       ///< of the explorer
  bool covariance = false;  ///< that it wants
  /// Chains of each leg in round 1, 2, …: see ladder_sizes.
  std::vector<std::vector<Index>> sizes;

  Index chains(int round) const;
  /// Replicas that a rank holds in a round.
  Index replicas(int round, int rank) const;
  /// Whether chain statistics and tunings of this chain hold a covariance.
  bool keeps_covariance(int round, Index chain) const;
  static Index scans(int round) { return Index{1} << round; }
};

/// Chains of each leg in every round: as the options say, or, where they follow the barrier, as they would if each round
/// found this one (shared evenly by two legs).
std::vector<std::vector<Index>> ladder_sizes(const TemperingOptions& options, double barrier);

TemperingPlan plan_tempering(int ranks, const Target& target, const Explorer& explorer, const TemperingOptions& options,
                             double barrier);

/// What one rank sends in the regions of a run, to its end and without checkpoints in between (see RegionTable; those of
/// sample_by_tempering with checkpoints). Exact where the number of replicas is given, except for what draws decide:
/// swaps and statistics.
struct TemperingTraffic {
  Traffic start;      ///< "start"
  Traffic round_end;  ///< "round end"
  Traffic estimate;   ///< "estimate", without the region inside
  Traffic adapt;      ///< "adapt", without the regions inside
  /// "swap": letters of replicas that stand in any order on the ladder, as likely as any other; 24 bytes each. Those
  /// between a replica and a pair of the same rank are not sent.
  double swap_letters = 0;
  Index swap_letters_most = 0;
  /// "estimate/statistics" and "adapt/statistics" of replicas that have been in every chain in each round: so long rounds
  /// are. It is less before.
  Traffic statistics_most;

  /// Of the regions whose traffic no draw decides.
  Traffic exact() const { return start + round_end + estimate + adapt; }
  TemperingTraffic& operator+=(const TemperingTraffic& more);
};

/// Of rank `rank` in one round: its scans, its end, and what is learnt of it unless it is the last one; with the first round
/// goes the start.
TemperingTraffic tempering_traffic(const TemperingPlan& plan, int rank, int round);
/// In all rounds.
TemperingTraffic tempering_traffic(const TemperingPlan& plan, int rank);

/// Letters that each rank sends in one scan for replicas that stand like this.
/// @param chains  of each replica, ladder by ladder
std::vector<Index> swap_letters(int ranks, Index ladders, std::span<const Index> chains, Index scan);

/// Bytes on one rank in the last round of a run with checkpoints, beside the program, the target and the explorer. An array that
/// ranks give each other is there twice for a moment: as bytes and as numbers.
struct TemperingMemory {
  double states = 0;      ///< points of its replicas
  double statistics = 0;  ///< of each chain that each of them has been in: at most all of a ladder
  double traces = 0;      ///< likelihood and chain of its replicas in each scan
  double tunings = 0;     ///< of every chain of a ladder
  // For a while beside those, one after the other:
  double estimating = 0;  ///< on rank 0 the traces of all replicas
  double learning = 0;    ///< statistics on their way to the ranks that join them
  double saving = 0;      ///< a checkpoint at the end

  double kept() const { return states + statistics + traces + tunings; }
  double most() const { return kept() + std::max({estimating, learning, saving}); }
};
TemperingMemory tempering_memory(const TemperingPlan& plan, int rank);

}  // namespace tempera
