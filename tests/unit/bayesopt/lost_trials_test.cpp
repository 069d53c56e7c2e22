#include <gtest/gtest.h>

#include <cmath>

#include "core/bayesopt/gp_proposer.hpp"

namespace tempera {
namespace {

GpProposerOptions quick(std::uint64_t seed) {
  GpProposerOptions options;
  options.seed = seed;
  options.model.hyperparameters.method = HyperMethod::map;
  return options;
}

double bowl(const Point& x) {
  return std::pow(x[0] - 0.3, 2) + 2 * std::pow(x[1] - 0.8, 2);
}

/// How far from the most promising point the next proposal lies, when the trial of that point has ended so.
double distance_after(TrialStatus status, std::uint64_t seed) {
  const Space space({{.name = "a"}, {.name = "b"}});
  GpProposer proposer(space, quick(seed));
  std::vector<Trial> trials;
  constexpr Index kTrials = 9;
  for (Index number = 0; number < kTrials; ++number) {
    Trial trial{number, proposer.propose(number, trials, {}).point, {}};
    trial.result.value = bowl(trial.point);
    trials.push_back(std::move(trial));
  }
  Trial promising{kTrials, proposer.propose(kTrials, trials, {}).point, {}};
  promising.result.status = status;
  trials.push_back(promising);
  const Point next = proposer.propose(kTrials + 1, trials, {}).point;
  return std::hypot(next[0] - promising.point[0], next[1] - promising.point[1]);
}

// What would happen again keeps proposals away from the point; what the machine did to it says nothing of the point.
TEST(LostTrials, AreNotHeldAgainstTheirPointsButFailuresThatRepeatAre) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    for (const TrialStatus status : {TrialStatus::lost, TrialStatus::cancelled})
      EXPECT_LT(distance_after(status, seed), 1e-3) << static_cast<int>(status);
    for (const TrialStatus status :
         {TrialStatus::failed, TrialStatus::crashed, TrialStatus::timeout, TrialStatus::invalid})
      EXPECT_GT(distance_after(status, seed), 0.02) << static_cast<int>(status);
  }
}

}  // namespace
}  // namespace tempera
