#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/sampling/evidence.hpp"
#include "core/sampling/explorer.hpp"
#include "core/sampling/target.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

struct TemperingOptions {
  Index chains = 10;  ///< of each ladder, at least 2
  Index ladders = 1;  ///< independent copies
  int rounds = 10;    ///< round k = 1, 2, … has 2^k scans; the last one gives draws and estimates
  std::uint64_t seed = 0;
  Index thin = 1;  ///< every so many draws of the target is kept
};

/// What one round has shown, on every rank.
struct TemperingRound {
  int round = 0;
  Index scans = 0;
  std::vector<double> schedule;    ///< β of the chains
  std::vector<double> rejections;  ///< mean of 1 − acceptance probability for each pair, over all ladders
  double rejection_sum = 0;
  double barrier = 0;            ///< see communication_barrier; mean over the ladders
  Evidence evidence;             ///< mean over the ladders
  Index round_trips = 0;         ///< reference to target and back, of all replicas
  Index restarts = 0;            ///< arrivals at the target from the reference
  double ideal_round_trips = 0;  ///< expected number if every exploration were perfect
  Index evaluations = 0;         ///< of the density, all replicas
  Index invalid = 0;             ///< of those, NaN
};

/// Draws of the target chain that were made on this rank.
struct TemperingDraws {
  struct Place {
    Index ladder, draw;
  };
  std::vector<Place> places;   ///< in no particular order; over all ranks each (ladder, draw) once
  std::vector<double> values;  ///< of the constrained parameters, one draw after the other
};

struct TemperingResult {
  std::vector<TemperingRound> rounds;
  TemperingDraws draws;
  Index draws_a_ladder = 0;
};

/// Non-reversible parallel tempering (Syed, Bouchard-Côté, Deligiannidis & Doucet 2022): replicas explore π_β ∝
/// reference · likelihood^β at the β of their chain and exchange chains by deterministic even–odd swaps; between rounds of
/// doubling length the schedule is cut anew to equal rejection and the explorers learn the scales of each chain. Replicas are
/// dealt to the ranks in blocks; all results are the same bits for every number of ranks.
///
/// A scan: every replica makes a step of the explorer (at β = 0 an independent draw, if the reference can be sampled), then
/// offers itself for a swap. Only the swaps' letters travel (see SwapBoard) until the round ends.
///
/// @param target    cloned for this rank
/// @param explorer  cloned for this rank
/// @param observer  called on every rank after each round; may be empty
/// @throws Error{numerical} where no start of positive density is found in 100 draws, or a density is +∞
/// Memory a rank: its replicas, 16 bytes a replica and scan of the round, 16 bytes a coordinate for each chain that one of
/// its replicas visits; on rank 0 the likelihoods of all replicas of a round. Collective.
TemperingResult sample_by_tempering(const Communicator& ranks, const Target& target, const Explorer& explorer,
                                    const TemperingOptions& options,
                                    const std::function<void(const TemperingRound&)>& observer = {});

}  // namespace tempera
