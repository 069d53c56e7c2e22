#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/bayesopt/bowl.hpp"

namespace tempera {
namespace {

using namespace test;

/// The first trials of an optimisation, which succeed.
std::vector<Trial> succeeded(Proposer& proposer) {
  std::vector<Trial> trials;
  for (Index number = 0; number < 9; ++number) {
    Trial trial{number, proposer.propose(number, trials, {}).point, {}};
    trial.result.value = bowl(trial.point);
    trials.push_back(std::move(trial));
  }
  return trials;
}

/// How far from the most promising point the next proposal lies, when the trial of that point and those after it, `times` in
/// all, have ended so.
double distance_after(TrialStatus status, Index times, std::uint64_t seed) {
  const Space space = square();
  GpProposer proposer(space, quick(seed));
  std::vector<Trial> trials = succeeded(proposer);
  const auto first = std::ssize(trials);
  for (Index number = first; number < first + times; ++number) {
    Trial trial{number, proposer.propose(number, trials, {}).point, {}};
    trial.result.status = status;
    trials.push_back(std::move(trial));
  }
  const Point next = proposer.propose(first + times, trials, {}).point;
  const Point& promising = trials[static_cast<std::size_t>(first)].point;
  return std::hypot(next[0] - promising[0], next[1] - promising[1]);
}

TEST(LostTrials, ChangeNoProposalElsewhere) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const Space space = square();
    GpProposer proposer(space, quick(seed));
    std::vector<Trial> trials = succeeded(proposer);
    const auto number = std::ssize(trials);
    const Point without = proposer.propose(number, trials, {}).point;
    trials.push_back({number, {0.9, 0.1}, {}});
    trials.back().result.status = TrialStatus::lost;
    EXPECT_EQ(proposer.propose(number, trials, {}).point, without);
    trials.back().result.status = TrialStatus::failed;
    EXPECT_NE(proposer.propose(number, trials, {}).point, without);
  }
}

// What happens again keeps proposals away from the place; what the machine did to a trial says nothing of its point.
TEST(LostTrials, AreNotHeldAgainstTheirPointsButFailuresThatRepeatAre) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    for (const TrialStatus status : {TrialStatus::lost, TrialStatus::cancelled})
      EXPECT_LT(distance_after(status, 1, seed), 1e-6) << static_cast<int>(status);
    for (const TrialStatus status :
         {TrialStatus::failed, TrialStatus::crashed, TrialStatus::timeout, TrialStatus::invalid}) {
      EXPECT_GT(distance_after(status, 1, seed), 1e-4) << static_cast<int>(status);
      EXPECT_GT(distance_after(status, 5, seed), 0.02) << static_cast<int>(status);
    }
  }
}

}  // namespace
}  // namespace tempera
