#include "distributed/bayesopt/rank_team.hpp"

#include <gtest/gtest.h>

#include "core/bayesopt/gp_proposer.hpp"
#include "core/bayesopt/objectives.hpp"
#include "tests/support/mpi.hpp"

namespace tempera::test {
namespace {

constexpr Index kTrials = 44;
constexpr Index kShared = 20, kBlock = 8, kNever = 1000;

/// Most trials, some of them failed, in the space of Hartmann's function of three variables; four are on their way.
struct Past {
  TestObjective objective{"hartmann3"};
  std::vector<Trial> finished;
  std::vector<PendingTrial> pending;

  explicit Past(bool failures) {
    for (Index number = 0; number < kTrials + 4; ++number) {
      RandomStream stream(11, "rank-team-test", {number});
      const std::vector<double> unit{stream.uniform(), stream.uniform(), stream.uniform()};
      Trial trial{number, objective.space().from_unit(unit), {}};
      trial.result.value = objective.exact(trial.point);
      if (failures && number % 9 == 4) trial.result.status = TrialStatus::failed;
      if (number < kTrials)
        finished.push_back(std::move(trial));
      else
        pending.push_back({number, trial.point});
    }
  }
};

GpProposerOptions options_of(HyperMethod method, const std::string& rule, std::shared_ptr<ModelTeam> team) {
  GpProposerOptions options;
  options.seed = 5;
  options.model.hyperparameters.method = method;
  options.model.hyperparameters.draws = 4;
  options.model.hyperparameters.warm_up = 6;
  options.acquisition = AcquisitionRule::parse(rule);
  options.search.candidates.spread = 100;
  options.search.starts = 3;
  options.search.evaluations = 20;
  options.team = std::move(team);
  return options;
}

/// Two proposals one after the other, the second with more trials, so that rows are appended or the model is fitted again.
std::vector<Point> proposals(const Past& past, GpProposerOptions options) {
  GpProposer proposer(past.objective.space(), std::move(options));
  const auto some = std::span(past.finished).first(kTrials - 3);
  return {proposer.propose(kTrials + 4, some, {}).point,
          proposer.propose(kTrials + 4, past.finished, past.pending).point};
}

TEST(RankTeam, DealtProposalsAreThoseOfOneProcessToTheBit) {
  on_all_ranks([](const Communicator& world) {
    const Past past(true);
    for (const HyperMethod method : {HyperMethod::map, HyperMethod::bayes}) {
      const auto team = std::make_shared<RankTeam>();
      team->join(world);
      EXPECT_EQ(proposals(past, options_of(method, "log-ei", team)),
                proposals(past, options_of(method, "log-ei", nullptr)));
      team->leave();
      EXPECT_EQ(&team->dealer(false), &team->dealer(true)) << "alone again";
    }
  });
}

TEST(RankTeam, ShardedProposalsAreThoseOfOneProcess) {
  on_all_ranks([](const Communicator& world) {
    for (const std::string rule : {"log-ei", "thompson"}) {
      const Past past(rule == "log-ei");
      const auto serial = proposals(past, options_of(HyperMethod::map, rule, nullptr));
      for (const Index spread_from : {kShared, kNever}) {
        const auto team = std::make_shared<RankTeam>(ShardedGpMaker::Limits{kShared, spread_from, kBlock});
        team->join(world);
        ASSERT_EQ(team->maker().shares(kTrials), world.size() > 1);
        ASSERT_EQ(team->maker().spreads(kTrials), world.size() > 1 && spread_from == kShared);
        const auto sharded = proposals(past, options_of(HyperMethod::map, rule, team));
        for (std::size_t k = 0; k < serial.size(); ++k)
          for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(sharded[k][i], serial[k][i], 1e-6) << rule;
      }
    }
  });
}

TEST(RankTeam, ShardedBayesIsByTheMostProbableHyperparameters) {
  on_all_ranks([](const Communicator& world) {
    if (world.size() == 1) return;
    const Past past(false);
    std::vector<std::vector<Point>> both;
    for (const HyperMethod method : {HyperMethod::bayes, HyperMethod::map}) {
      const auto team = std::make_shared<RankTeam>(ShardedGpMaker::Limits{kShared, kNever, kBlock});
      team->join(world);
      both.push_back(proposals(past, options_of(method, "log-ei", team)));
    }
    EXPECT_EQ(both[0], both[1]);
  });
}

// Rows are appended to sharded processes, and the search begins at hyperparameters found before.
TEST(RankTeam, AShardedModelFollowsItsHistoryAsASerialOne) {
  on_all_ranks([](const Communicator& world) {
    const Index size = 104, first = 101;
    RandomStream stream(3, "rank-team-test");
    const Eigen::MatrixXd points = Eigen::MatrixXd::NullaryExpr(size, 2, [&] { return stream.uniform(); });
    std::vector<double> values;
    for (Index i = 0; i < size; ++i)
      values.push_back(std::sin(5 * points(i, 0)) + points(i, 1) + 0.05 * stream.normal());
    ModelTeam alone;
    GpFitOptions options;
    options.hyperparameters.method = HyperMethod::map;
    options.priors.length_scale.sd = 0.7;  // a sharp mode: two searches end closer together than the bound
    const KernelPointer kernel = scaled(stationary_kernel(KernelShape::matern52, {0, 1}, {"a", "b"}));
    for (const Index spread_from : {kShared, kNever}) {
      RankTeam team({kShared, spread_from, 16});
      team.join(world);
      FollowedGp sharded({kernel}, options, 1), serial({kernel}, options, 1);
      for (Index n = first; n <= size; ++n) {
        sharded.follow(points.topRows(n), std::span(values).first(static_cast<std::size_t>(n)), team);
        serial.follow(points.topRows(n), std::span(values).first(static_cast<std::size_t>(n)), alone);
        ASSERT_EQ(sharded.fitted(), serial.fitted());
        EXPECT_EQ(sharded.spread(), world.size() > 1 && spread_from == kShared);
        Eigen::VectorXd mean, variance, serial_mean, serial_variance;
        sharded.processes().front()->predict(points, mean, variance);
        serial.processes().front()->predict(points, serial_mean, serial_variance);
        EXPECT_LT((mean - serial_mean).cwiseAbs().maxCoeff(), 1e-6);
      }
      EXPECT_LT(serial.fitted(), size);
    }
  });
}

}  // namespace
}  // namespace tempera::test
