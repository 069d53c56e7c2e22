#include "core/bayesopt/gp_proposer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "tests/unit/bayesopt/bowl.hpp"

namespace tempera {
namespace {

using namespace test;

std::vector<Trial> run(Proposer& proposer, Index budget, const std::function<TrialResult(const Point&)>& objective) {
  std::vector<Trial> trials;
  for (Index number = 0; number < budget; ++number) {
    const Proposal proposal = proposer.propose(number, trials, {});
    trials.push_back({number, proposal.point, objective(proposal.point)});
  }
  return trials;
}

TrialResult value(double y) {
  TrialResult result;
  result.value = y;
  return result;
}

double least(const std::vector<Trial>& trials) {
  double result = INFINITY;
  for (const Trial& trial : trials)
    if (trial.result.status == TrialStatus::ok) result = std::min(result, trial.result.value);
  return result;
}

TEST(GpProposer, FindsTheBottomOfABowl) {
  const Space space = square();
  for (const HyperMethod method : {HyperMethod::bayes, HyperMethod::map}) {
    GpProposerOptions options = quick();
    options.model.hyperparameters.method = method;
    GpProposer proposer(space, options);
    EXPECT_LT(least(run(proposer, 16, [](const Point& x) { return value(bowl(x)); })), 1e-4);
  }
}

TEST(GpProposer, DependsOnTheHistoryAlone) {
  const Space space = square();
  GpProposer one(space, quick());
  const auto trials = run(one, 12, [](const Point& x) { return value(bowl(x)); });
  GpProposer fresh(space, quick());
  const Proposal again = fresh.propose(11, std::span(trials).first(11), {});
  EXPECT_EQ(again.point, trials[11].point);
  GpProposer other(space, quick(2));
  EXPECT_NE(other.propose(0, {}, {}).point, trials[0].point);
}

TEST(GpProposer, KeepsAwayFromPendingTrials) {
  const Space space = square();
  GpProposer proposer(space, quick());
  const auto trials = run(proposer, 8, [](const Point& x) { return value(bowl(x)); });
  std::vector<PendingTrial> pending;
  for (Index number = 8; number < 14; ++number) {
    const Proposal proposal = proposer.propose(number, trials, pending);
    for (const PendingTrial& other : pending)
      EXPECT_GT(std::hypot(proposal.point[0] - other.point[0], proposal.point[1] - other.point[1]), 1e-3);
    pending.push_back({number, proposal.point});
  }
}

/// Half of the square crashes, and its values would be the better ones: without learning nearly all trials end there.
TEST(GpProposer, LearnsWhereTrialsCrash) {
  const Space space = square();
  GpProposer proposer(space, quick());
  const auto trials = run(proposer, 30, [](const Point& x) {
    TrialResult result = value(std::sin(8 * x[1]) + std::sin(10 * x[0] - 3) + 2 * x[0]);
    if (x[0] < 0.5) result.status = TrialStatus::crashed;
    return result;
  });
  const auto crashes = std::count_if(trials.begin(), trials.end(),
                                     [](const Trial& trial) { return trial.result.status == TrialStatus::crashed; });
  EXPECT_LT(crashes, 12);
  double expected = INFINITY;
  for (double a = 0.5; a <= 1; a += 1e-4) expected = std::min(expected, std::sin(10 * a - 3) + 2 * a - 1);
  EXPECT_LT(least(trials), expected + 0.01);
}

/// The values fall towards the half that crashes: the best point lies on its edge. Least squares on labels, and values of
/// crashed points that were given up, left a median regret of 7e-3 and 29 of the last 30 of 60 trials crashed (crash_bench).
TEST(GpProposer, FindsThePointOnTheEdgeOfACrashingHalf) {
  const Space space = square();
  std::vector<double> regrets;
  Index late = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    GpProposerOptions options = quick(seed);
    options.model.kernels = {KernelShape::matern52};  // a smoother one is surer beyond the edge
    GpProposer proposer(space, options);
    const auto trials = run(proposer, 40, [](const Point& x) {
      TrialResult result = value(x[0] + std::pow(x[1] - 0.3, 2));
      if (x[0] < 0.5) result.status = TrialStatus::crashed;
      return result;
    });
    regrets.push_back(least(trials) - 0.5);
    for (const Trial& trial : trials)  // far behind the edge
      if (trial.number >= 20 && trial.point[0] < 0.4) ++late;
  }
  std::sort(regrets.begin(), regrets.end());
  EXPECT_LT(regrets[2], 1e-3);
  EXPECT_LT(late, 10) << "of 100";
}

TEST(GpProposer, EveryAcquisitionFindsTheBowl) {
  const Space space = square();
  for (const char* name : {"log-ei", "ei", "pi", "ucb:1", "thompson"}) {
    GpProposerOptions options = quick();
    options.acquisition = AcquisitionRule::parse(name);
    GpProposer proposer(space, options);
    const auto trials = run(proposer, 20, [](const Point& x) { return value(bowl(x)); });
    EXPECT_LT(least(trials), options.acquisition.kind == AcquisitionKind::pi ? 0.1 : 0.01) << name;  // pi goes slowly
    const std::vector<PendingTrial> pending{{20, {0.1, 0.2}}};
    EXPECT_EQ(proposer.propose(21, trials, pending).point.size(), 2u) << name;
  }
}

TEST(GpProposer, MeetsConstraintsThatTrialsReport) {
  const Space space = square();
  GpProposerOptions options = quick();
  options.constraints = {"c"};
  GpProposer proposer(space, options);
  const auto trials = run(proposer, 25, [](const Point& x) {
    TrialResult result = value(bowl(x));
    result.constraints["c"] = 0.6 - x[0];
    return result;
  });
  double best = INFINITY;
  for (const Trial& trial : trials)
    if (trial.result.constraints.at("c") <= 0) best = std::min(best, trial.result.value);
  EXPECT_LT(best, 0.0925);  // the optimum is 0.09
}

TEST(GpProposer, LooksForAFeasiblePointFirst) {
  const Space space = square();
  GpProposerOptions options = quick();
  options.constraints = {"c"};
  GpProposer proposer(space, options);
  const auto trials = run(proposer, 15, [](const Point& x) {
    TrialResult result = value(0);
    result.constraints["c"] = bowl(x) - 0.01;  // one part in 140
    return result;
  });
  EXPECT_TRUE(std::any_of(trials.begin(), trials.end(),
                          [](const Trial& trial) { return trial.result.constraints.at("c") <= 0; }));
}

TEST(GpProposer, PrefersWhatIsCheap) {
  const Space space = square();
  const auto share_of_cheap = [&](bool per_cost) {
    Index cheap = 0;
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      GpProposerOptions options = quick();
      options.seed = seed;
      options.per_cost = per_cost;
      GpProposer proposer(space, options);
      const auto trials = run(proposer, 20, [](const Point& x) {
        TrialResult result = value(std::sin(9 * x[0]) + std::sin(7 * x[1]));
        result.cost = x[0] < 0.5 ? 1 : 50;
        return result;
      });
      cheap += std::count_if(trials.begin() + 4, trials.end(), [](const Trial& trial) { return trial.point[0] < 0.5; });
    }
    return cheap;
  };
  EXPECT_GT(share_of_cheap(true), share_of_cheap(false));
}

TEST(GpProposer, TriesEveryPointOfASmallSpaceOnceAndThenSaysSo) {
  const Space space({{.name = "a", .type = ParameterType::boolean},
                     {.name = "b", .type = ParameterType::integer, .low = 1, .high = 3}});
  GpProposer proposer(space, quick());
  std::vector<Trial> trials;
  for (Index number = 0; number < 6; ++number) {
    const Proposal proposal = proposer.propose(number, trials, {});
    ASSERT_FALSE(proposal.point.empty());
    for (const Trial& other : trials) EXPECT_FALSE(space.same(other.point, proposal.point));
    trials.push_back({number, proposal.point, value(proposal.point[1])});
  }
  EXPECT_TRUE(proposer.propose(6, trials, {}).point.empty());
}

TEST(GpProposer, GoesOnWhereAllValuesAreEqualOrAllTrialsFail) {
  const Space space = square();
  GpProposer flat(space, quick());
  EXPECT_EQ(run(flat, 10, [](const Point&) { return value(3); }).size(), 10u);
  GpProposer failing(space, quick());
  EXPECT_EQ(run(failing, 10,
                [](const Point&) {
                  TrialResult result;
                  result.status = TrialStatus::failed;
                  return result;
                })
                .size(),
            10u);
}

}  // namespace
}  // namespace tempera
