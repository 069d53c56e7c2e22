#pragma once

#include "distributed/tempering/detail/ladders.hpp"

namespace tempera::detail {

/// What a finished round has shown. Collective.
TemperingRound estimate_round(const Communicator& ranks, const TemperingOptions& options, const Ladders& ladders,
                              std::span<const PairRecord> pairs, bool normalised_prior, int round, Index scans);

/// How many chains each leg is to have in the next round. The same on all ranks.
std::vector<Index> next_sizes(const TemperingOptions& options, const TemperingRound& round);

}  // namespace tempera::detail
