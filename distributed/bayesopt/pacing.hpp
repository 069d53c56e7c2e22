#pragma once

#include "distributed/bayesopt/event.hpp"
#include "distributed/bayesopt/scheduler.hpp"

namespace tempera {

/// How many proposals to have ready before a worker asks for one, so that 99 % of those that ask find one: as many as end
/// while one is made, by a Poisson law. A point that is prepared does not know the results that come until it is started, so not
/// more than are needed. A single worker never waits for anything but its own result.
///
/// @param trial_seconds  0: not known yet, then one
/// @return 0 for a single worker, else 1 … workers
Index proposals_ahead(Index workers, double proposing_seconds, double trial_seconds);

/// Learns the times from the events of a run. A batch is prepared whole: no result changes it. Quick proposers (Proposer) are
/// asked when a worker is free, so that they know the newest result.
class Pacing {
 public:
  Pacing(Index workers, bool quick) : workers_(workers), quick_(quick) {}
  void take(const Event& event);
  /// Whether the next proposal should be made though no worker waits for it.
  bool wants_more(const Scheduler& scheduler) const;

 private:
  Index workers_;
  bool quick_;
  double proposing_ = 0;  // of the long ones lately: the cost grows, and now and then hyperparameters are found anew
  double trial_ = 0;      // mean
  Index trials_ = 0;
};

}  // namespace tempera
