#pragma once

#include "distributed/tempering/detail/ladders.hpp"

namespace tempera::detail {

/// What a finished round has shown. Collective.
TemperingRound estimate_round(const Communicator& ranks, const TemperingOptions& options, const Ladders& ladders,
                              std::span<const PairRecord> pairs, bool normalised_prior, int round, Index scans);

}  // namespace tempera::detail
