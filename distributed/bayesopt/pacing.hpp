#pragma once

#include "distributed/bayesopt/event.hpp"
#include "distributed/bayesopt/scheduler.hpp"

namespace tempera {

/// How many proposals to have ready before a worker asks for one. A point that is prepared ahead does not know the result
/// of the very trial after which it is started, so none is where proposing costs a worker little: less than 1 % of
/// a trial and less than 10 ms. A single worker never waits for anything but its own result.
///
/// @param proposing_seconds, trial_seconds  means; trial_seconds 0: not known yet, then nothing is prepared
/// @return one for every eight workers, or as many as end while one is made, whichever is more
Index proposals_ahead(Index workers, double proposing_seconds, double trial_seconds);

/// Learns the means from the events of a run. A batch is prepared whole: no result changes it.
class Pacing {
 public:
  explicit Pacing(Index workers) : workers_(workers) {}
  void take(const Event& event);
  /// Whether the next proposal should be made though no worker waits for it.
  bool wants_more(const Scheduler& scheduler) const;

 private:
  Index workers_;
  double proposing_ = 0;  // lately: the cost grows with what is known
  double trial_ = 0;
  Index trials_ = 0;
};

}  // namespace tempera
