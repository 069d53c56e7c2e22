#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/sampling/evidence.hpp"
#include "core/sampling/explorer.hpp"
#include "core/sampling/target.hpp"
#include "distributed/checkpoint/checkpoints.hpp"
#include "distributed/communicator/communicator.hpp"
#include "distributed/tempering/draw_store.hpp"

namespace tempera {

/// Where the ladder of temperatures begins.
enum class TemperingReference {
  prior,     ///< the target's own reference
  gaussian,  ///< a normal density fitted to the draws of the round before (see GaussianReferenceTarget)
  two_legs   ///< both: from the prior to the target and on to the fitted density
};

struct TemperingOptions {
  /// Of each ladder. 1: plain Markov chains at the target, led by slices in the first four rounds. 0: begins with 8 a leg, and follows the barrier that is found
  /// after the rounds 3 to 7 (see suggested_chains).
  Index chains = 10;
  Index ladders = 1;  ///< independent copies
  int rounds = 10;    ///< round k = 1, 2, … has 2^k scans; the last one gives draws and estimates
  std::uint64_t seed = 0;
  Index thin = 1;         ///< every so many draws is kept
  bool keep_all = false;  ///< draws of all chains, not only those at the target
  TemperingReference reference = TemperingReference::prior;
  int threads = 1;  ///< that explore the replicas of a rank; they change no bit
};

/// What one round has shown, on every rank.
struct TemperingRound {
  int round = 0;
  Index scans = 0;
  std::vector<Index> sizes;        ///< chains of each leg (see LadderPlan)
  std::vector<double> schedule;    ///< β of the chains
  std::vector<double> rejections;  ///< mean of 1 − acceptance probability for each pair, over all ladders
  double rejection_sum = 0;
  double barrier = 0;        ///< see communication_barrier; sum over the legs, mean over the ladders
  double barrier_error = 0;  ///< of that mean, from the spread over the ladders; NaN for one ladder
  std::vector<double> leg_barriers;
  Evidence evidence;                            ///< mean over the ladders; nothing for one chain
  std::vector<Evidence> legs;                   ///< the same of each leg
  Index round_trips = 0;                        ///< from end to end and back, of all replicas
  Index restarts = 0;                           ///< arrivals at the target from a reference
  double ideal_round_trips = 0;                 ///< expected number if every exploration were perfect
  Index evaluations = 0;                        ///< of the density, all replicas
  Index gradients = 0;                          ///< of those, with gradient
  Index invalid = 0;                            ///< of those, NaN
  std::vector<ChainReport> reports;             ///< of each chain's steps
  std::vector<std::vector<double>> step_sizes;  ///< of each chain
};

/// What a record of the draws holds after the constrained parameters.
enum class DrawStatistic {
  log_reference,
  log_likelihood,
  replica,
  acceptance,
  proposals,
  depth,
  divergent,
  energy,
  step_size,
};
constexpr Index kDrawStatistics = 9;

struct TemperingObserver {
  /// On every rank, after each round, whose draws can be read. May be collective.
  std::function<void(const TemperingRound&, const DrawStore&)> round;
  /// Then: whether no further round is needed. May be collective; all ranks have to say the same, and the same again when
  /// the run goes on from its end.
  std::function<bool(const TemperingRound&, const DrawStore&)> enough;
  /// On rank 0, before each scan: where it stands.
  std::function<void(int round, Index scan)> scan;
  /// State is saved there, draws go to a segment beside it.
  Checkpoints* checkpoints = nullptr;
};

struct TemperingResult {
  std::vector<TemperingRound> rounds;
  /// Of the last round. Streams: for each ladder the chain at the target (with two legs both, with keep_all all chains).
  std::unique_ptr<DrawStore> draws;
  bool stopped = false;  ///< a checkpoint was written before the end; there are no draws
  int round = 0;         ///< the last one that was begun
  Index scan = 0;        ///< of it, where it stopped
};

/// Streams of a ladder whose draws are kept, and of those the ones at the target.
Index streams_of_ladder(const TemperingOptions& options, std::span<const Index> sizes);
std::vector<Index> target_streams(const TemperingOptions& options, std::span<const Index> sizes);

/// Non-reversible parallel tempering (Syed, Bouchard-Côté, Deligiannidis & Doucet 2022): replicas explore π_β ∝
/// reference · likelihood^β at the β of their chain and exchange chains by deterministic even–odd swaps; between rounds of
/// doubling length the schedule is cut anew to equal rejection and the explorers learn the scales of each chain. Replicas are
/// dealt to the ranks in blocks; all results are the same bits for every number of ranks and threads, and after a restart.
///
/// A scan: every replica makes a step of the explorer (at β = 0 an independent draw, if the reference can be sampled), then
/// offers itself for a swap. Only the swaps' letters travel (see SwapBoard) until the round ends; where ranks pause for a
/// checkpoint they agree by letters too (see Pauses).
///
/// A run that goes on from a checkpoint may have more rounds than before: that is the longer run.
///
/// @param target    cloned for each thread of this rank
/// @param explorer  cloned likewise
/// @throws Error{numerical} where no start of positive density is found in 100 draws, or a density is +∞
/// Memory a rank: its replicas, 16 bytes a replica and scan of the round, 16 bytes a coordinate (4 d if the explorer wants
/// covariances) for each chain that one of its replicas visits, 16 d (with covariances 8 d² more) for the tuning of every chain
/// of a ladder; on rank 0 the likelihoods of all replicas of a round.
/// Collective.
TemperingResult sample_by_tempering(const Communicator& ranks, const Target& target, const Explorer& explorer,
                                    const TemperingOptions& options, const TemperingObserver& observer = {});

}  // namespace tempera
