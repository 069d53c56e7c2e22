#include "distributed/bayesopt/pacing.hpp"

#include <algorithm>
#include <cmath>

namespace tempera {

namespace {
constexpr double kShare = 0.01;    // of a trial that a worker may wait for its next point
constexpr double kSeconds = 0.01;  // that it may wait in any case
constexpr Index kWorkersAPoint = 8;
constexpr double kNewest = 0.3;  // weight of the last proposal in the mean of their cost
}  // namespace

Index proposals_ahead(Index workers, double proposing_seconds, double trial_seconds) {
  if (workers <= 1 || trial_seconds <= 0) return 0;
  if (proposing_seconds < kSeconds && proposing_seconds < kShare * trial_seconds) return 0;
  const double ends = static_cast<double>(workers) * proposing_seconds / trial_seconds;
  const auto by_rate = static_cast<Index>(std::ceil(std::min(ends, static_cast<double>(workers))));
  return std::max({Index{1}, workers / kWorkersAPoint, by_rate});
}

void Pacing::take(const Event& event) {
  if (const auto* proposal = std::get_if<ProposeEvent>(&event))
    proposing_ += (proposal->number == 0 ? 1 : kNewest) * (proposal->proposing_seconds - proposing_);
  if (const auto* result = std::get_if<ResultEvent>(&event))
    trial_ += (result->result.seconds - trial_) / static_cast<double>(++trials_);
}

bool Pacing::wants_more(const Scheduler& scheduler) const {
  if (!scheduler.can_propose()) return false;
  if (scheduler.options().schedule == Schedule::batch) return true;
  return scheduler.waiting() < proposals_ahead(workers_, proposing_, trial_);
}

}  // namespace tempera
