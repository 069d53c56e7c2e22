#pragma once

#include <functional>
#include <limits>
#include <vector>

#include "distributed/bayesopt/journal.hpp"
#include "distributed/bayesopt/scheduler.hpp"

namespace tempera {

/// Workers on a clock that does not tick by itself: the same decisions as on real ones, in no time.
struct SimulatedWorkers {
  Index workers = 1;
  double proposing_seconds = 0;  ///< that a proposal takes, while the master serves
  std::function<double(Index number, Index attempt)> seconds;
  std::function<TrialResult(const Point& point, Index number, Index attempt)> evaluate;
};

/// Runs an optimisation by discrete events until it is over, or until the clock shows `until`, as if killed then.
/// @param entries  of the run so far: a session is added to them
void simulate(Scheduler& scheduler, Proposer& proposer, const SimulatedWorkers& workers,
              std::vector<JournalEntry>& entries, double until = std::numeric_limits<double>::infinity());

}  // namespace tempera
