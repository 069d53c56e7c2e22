#pragma once

#include "distributed/bayesopt/courier.hpp"
#include "distributed/bayesopt/optimization.hpp"

namespace tempera::detail {

/// A rank that tries what rank 0 sends, until it is told to leave.
void serve_trials(Courier& courier, Evaluator& evaluator, const OptimizationObserver& observer);

}  // namespace tempera::detail
