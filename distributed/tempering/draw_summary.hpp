#pragma once

#include <vector>

#include "core/sampling/diagnostics.hpp"
#include "distributed/tempering/draw_store.hpp"

namespace tempera {

/// Summaries of the first `columns` columns of the draws of the given streams, each stream a chain; the columns are dealt to
/// the ranks. On every rank. Collective. Memory a rank: some 32 MiB, or one column of all draws.
std::vector<ParameterSummary> summarise_draws(const Communicator& ranks, const DrawStore& draws, Index columns,
                                              const std::vector<Index>& streams);

}  // namespace tempera
