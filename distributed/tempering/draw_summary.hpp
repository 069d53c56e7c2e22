#pragma once

#include <vector>

#include "core/sampling/diagnostics.hpp"
#include "core/sampling/weighted_summary.hpp"
#include "distributed/communicator/operation_traffic.hpp"
#include "distributed/tempering/draw_store.hpp"
#include "distributed/tempering/tempering.hpp"

namespace tempera {

/// Summaries of the first `columns` columns of the draws of the given streams, each stream a chain; the columns are dealt to
/// the ranks. On every rank. Collective. Memory a rank: some 32 MiB, or one column of all draws.
std::vector<ParameterSummary> summarise_draws(const Communicator& ranks, const DrawStore& draws, Index columns,
                                              const std::vector<Index>& streams);

/// Nested R-hat of each column, one superchain a ladder (see rhat_nested). On every rank. Collective.
/// @param ladders  of each stream
std::vector<double> nested_rhats(const Communicator& ranks, const DrawStore& draws, Index columns,
                                 const std::vector<Index>& streams, const std::vector<int>& ladders);

/// The draws of all temperatures as weighted draws of the target: for each ladder the weights of its draws (see
/// target_weights), on every rank. Collective. @pre keep_all, one leg
std::vector<std::vector<double>> weights_of_draws(const Communicator& ranks, const TemperingOptions& options,
                                                  std::span<const double> schedule, const DrawStore& draws);

/// Summaries by those weights, means over the ladders; dealt to the ranks and collected like the others. Collective.
std::vector<WeightedSummary> summarise_weighted(const Communicator& ranks, const DrawStore& draws, Index columns,
                                                const std::vector<std::vector<double>>& weights);

/// What a rank sends for one summary a column, by any of these but for weights_of_draws, where draws lie in a segment beside
/// the checkpoints.
/// @param length  draws of a column, of all streams
Traffic dealt_columns_traffic(int ranks, int rank, Index columns, Index length, Index summary_bytes);

}  // namespace tempera
