#include "distributed/bayesopt/pacing.hpp"

#include <cmath>

namespace tempera {

namespace {
constexpr double kEmpty = 0.01;   // of the workers that ask may find nothing
constexpr double kFading = 0.05;  // of the longest proposal, with each that is shorter
}  // namespace

Index proposals_ahead(Index workers, double proposing_seconds, double trial_seconds) {
  if (workers <= 1) return 0;
  if (trial_seconds <= 0) return 1;
  const double ends = static_cast<double>(workers) * proposing_seconds / trial_seconds;
  // The least k that as many ends reach with a probability of kEmpty at most.
  double probability = std::exp(-ends), below = 0;
  for (Index k = 1; k < workers; ++k) {
    below += probability;
    if (1 - below <= kEmpty) return k;
    probability *= ends / static_cast<double>(k);
  }
  return workers;
}

void Pacing::take(const Event& event) {
  if (const auto* proposal = std::get_if<ProposeEvent>(&event)) {
    const double seconds = proposal->proposing_seconds;
    proposing_ += (seconds > proposing_ ? 1 : kFading) * (seconds - proposing_);
  }
  if (const auto* result = std::get_if<ResultEvent>(&event))
    trial_ += (result->result.seconds - trial_) / static_cast<double>(++trials_);
}

bool Pacing::wants_more(const Scheduler& scheduler) const {
  if (!scheduler.can_propose()) return false;
  if (scheduler.options().schedule == Schedule::batch) return true;
  return !quick_ && scheduler.waiting() < proposals_ahead(workers_, proposing_, trial_);
}

}  // namespace tempera
