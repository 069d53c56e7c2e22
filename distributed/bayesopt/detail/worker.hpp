#pragma once

#include "distributed/bayesopt/optimization.hpp"
#include "distributed/bayesopt/rank_layout.hpp"
#include "distributed/communicator/courier.hpp"

namespace tempera::detail {

/// A rank other than 0, until it is told to leave. The first of a group tries what rank 0 sends, and has the others of its
/// group try it at the same time where the evaluator is collective. All others rest, and tell of signals.
/// @param rank  of `courier`
void serve_trials(Courier& courier, int rank, const RankLayout& layout, Evaluator& evaluator,
                  const OptimizationObserver& observer);

}  // namespace tempera::detail
