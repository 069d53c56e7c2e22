#pragma once

#include <vector>

#include "distributed/tempering/tempering.hpp"

namespace tempera::detail {

/// Chains of each leg in the first round.
std::vector<Index> first_sizes(const TemperingOptions& options);
/// How many chains each leg is to have in the next round. The same on all ranks.
std::vector<Index> next_sizes(const TemperingOptions& options, const TemperingRound& round);

}  // namespace tempera::detail
