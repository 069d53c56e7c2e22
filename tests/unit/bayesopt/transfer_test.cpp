#include "core/bayesopt/transfer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/bayesopt/gp_proposer.hpp"
#include "core/bayesopt/objectives.hpp"
#include "tests/unit/bayesopt/spaces.hpp"

namespace tempera::test {
namespace {

using Objective = std::function<double(const Point&)>;

double wave(const Point& x) {
  return std::sin(6 * x[0]) + (x[1] - 0.4) * (x[1] - 0.4) + 0.3 * x[0] * x[1];
}

SourceTrials source_of(const Space& space, Index count, const Objective& objective, std::uint64_t seed = 1) {
  SourceTrials source{"source", false, {}};
  for (Index k = 0; k < count; ++k) {
    RandomStream stream(seed, "source", {k});
    std::vector<double> unit(static_cast<std::size_t>(space.size()));
    for (double& u : unit) u = stream.uniform();
    const Point point = space.from_unit(unit);
    TrialResult result;
    result.value = objective(point);
    source.trials.push_back({k, point, result});
  }
  return source;
}

GpFitOptions quick() {
  GpFitOptions options;
  options.hyperparameters.method = HyperMethod::map;
  return options;
}

Eigen::MatrixXd rows_of(const Space& space, const SourceTrials& source) {
  Eigen::MatrixXd columns(space.features(), std::ssize(source.trials));
  for (std::size_t k = 0; k < source.trials.size(); ++k)
    space.encode(source.trials[k].point,
                 {columns.col(static_cast<Eigen::Index>(k)).data(), static_cast<std::size_t>(space.features())});
  return columns.transpose();
}

TEST(Transfer, AFeatureIsThePosteriorMeanOfItsSource) {
  const Space space = cube(2);
  const SourceTrials source = source_of(space, 25, wave);
  const Transfer transfer(space, std::vector{source, source_of(space, 12, [](const Point& x) { return x[0]; })},
                          quick(), 3);
  ASSERT_EQ(transfer.sources(), 2);
  EXPECT_EQ(transfer.kernel()->features(), 4);
  const Eigen::MatrixXd wide = transfer.widened(rows_of(space, source));
  // At its own trials, without noise: the standardised values up to a factor, so linear in them.
  Eigen::VectorXd values(25);
  for (Eigen::Index k = 0; k < 25; ++k) values[k] = source.trials[static_cast<std::size_t>(k)].result.value;
  const Eigen::VectorXd centred = values.array() - values.mean();
  const Eigen::VectorXd feature = wide.col(2).array() - wide.col(2).mean();
  EXPECT_GT(feature.dot(centred) / (feature.norm() * centred.norm()), 1 - 1e-6);
  EXPECT_TRUE(wide.leftCols(2) == rows_of(space, source));
}

TEST(Transfer, WhatASourceNeverVariedDoesNotCount) {
  const Space space = cube(2);
  SourceTrials source = source_of(space, 15, wave);
  for (Trial& trial : source.trials) trial.point[1] = 0.5;
  const Transfer transfer(space, std::vector{source}, quick(), 3);
  Eigen::MatrixXd rows(2, 2);
  rows << 0.3, 0.1, 0.3, 0.9;
  const Eigen::MatrixXd wide = transfer.widened(rows);
  EXPECT_EQ(wide(0, 2), wide(1, 2));
}

TEST(Transfer, GradientsEqualDifferences) {
  const Space space = cube(2);
  const std::vector<SourceTrials> sources{source_of(space, 15, wave),
                                          source_of(
                                              space, 10, [](const Point& x) { return x[0] * x[1]; }, 2)};
  const Transfer transfer(space, sources, quick(), 3);
  const SourceTrials target = source_of(
      space, 8, [](const Point& x) { return 2 * wave(x) + x[1]; }, 5);
  const Eigen::MatrixXd rows = transfer.widened(rows_of(space, target));
  std::vector<double> values;
  for (const Trial& trial : target.trials) values.push_back(trial.result.value);
  const FittedGp fitted = fit_gp(std::vector{transfer.kernel()}, rows, values, quick(), 7);
  std::vector<ExactGp> draws;
  draws.emplace_back(fitted.draws.front(), rows, fitted.warp.warped(values));
  const GpSurrogate wide(std::move(draws));
  const TransferSurrogate model(wide, transfer);
  ASSERT_EQ(model.features(), 2);

  const auto path = model.sample_path(0, RandomStream(1, "path"));
  ASSERT_TRUE(path);
  Eigen::MatrixXd fixed(2, 3);
  fixed << 0.2, 0.5, 0.9, 0.8, 0.5, 0.3;
  const auto cross = model.covariance_with(fixed);
  constexpr double kStep = 1e-5;
  for (const auto& [a, b] : {std::pair{0.31, 0.62}, {0.77, 0.15}}) {
    const std::vector<double> x{a, b};
    Eigen::VectorXd mean, sd, covariance;
    Eigen::MatrixXd mean_gradient, sd_gradient, covariance_gradient;
    model.predict_with_gradient(x, mean, sd, mean_gradient, sd_gradient);
    cross->with_gradient(x, 0, covariance, covariance_gradient);
    GradientPredictions many;
    model.predict_with_gradients(Eigen::Map<const Eigen::VectorXd>(x.data(), 2).replicate(1, 3), many);
    EXPECT_TRUE(many.mean_gradient[2].isApprox(mean_gradient, 1e-9));
    EXPECT_TRUE(many.sd_gradient[1].isApprox(sd_gradient, 1e-9));
    std::vector<double> path_gradient(2);
    path->value_with_gradient(x, path_gradient);
    for (Eigen::Index f = 0; f < 2; ++f) {
      Eigen::MatrixXd both = Eigen::Map<const Eigen::VectorXd>(x.data(), 2).replicate(1, 2);
      both(f, 0) += kStep;
      both(f, 1) -= kStep;
      Eigen::MatrixXd means, sds, covariances;
      Eigen::VectorXd drawn;
      model.predict(both, means, sds);
      cross->values(both, 0, covariances);
      path->values(both, drawn);
      EXPECT_NEAR(mean_gradient(f, 0), (means(0, 0) - means(1, 0)) / (2 * kStep), 1e-5);
      EXPECT_NEAR(sd_gradient(f, 0), (sds(0, 0) - sds(1, 0)) / (2 * kStep), 1e-5);
      EXPECT_NEAR(path_gradient[static_cast<std::size_t>(f)], (drawn[0] - drawn[1]) / (2 * kStep), 1e-4);
      for (Eigen::Index j = 0; j < 3; ++j)
        EXPECT_NEAR(covariance_gradient(f, j), (covariances(0, j) - covariances(1, j)) / (2 * kStep), 1e-5);
    }
    Eigen::VectorXd joint_mean;
    Eigen::MatrixXd joint;
    Eigen::MatrixXd all(2, 4);
    all << Eigen::Map<const Eigen::VectorXd>(x.data(), 2), fixed;
    model.predict_jointly(all, 0, joint_mean, joint);
    EXPECT_NEAR(joint_mean[0], mean[0], 1e-10);
    EXPECT_NEAR(joint(0, 0), sd[0] * sd[0], 1e-10);
    for (Eigen::Index j = 0; j < 3; ++j) EXPECT_NEAR(joint(0, 1 + j), covariance[j], 1e-10);
  }
}

/// The least value after each trial.
std::vector<double> progress(const Space& space, const GpProposerOptions& options, const Objective& objective,
                             Index budget) {
  GpProposer proposer(space, options);
  std::vector<Trial> trials;
  std::vector<double> best;
  double least = INFINITY;
  for (Index number = 0; number < budget; ++number) {
    TrialResult result;
    const Proposal proposal = proposer.propose(number, trials, {});
    result.value = objective(proposal.point);
    least = std::min(least, result.value);
    best.push_back(least);
    trials.push_back({number, proposal.point, result});
  }
  return best;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Medians of the regret on Branin over 25 seeds, without and with a source.
std::pair<double, double> regrets(Index budget, const Objective& other) {
  const TestObjective branin("branin");
  std::vector<double> without, with;
  const auto exact = [&](const Point& x) { return branin.exact(x); };
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    GpProposerOptions options;
    options.seed = seed;
    options.model = quick();
    without.push_back(progress(branin.space(), options, exact, budget).back() - branin.optimum());
    options.sources = {source_of(branin.space(), 40, other, 100 + seed)};
    with.push_back(progress(branin.space(), options, exact, budget).back() - branin.optimum());
  }
  return {median(without), median(with)};
}

TEST(Transfer, ARelatedTaskSavesTrials) {
  const TestObjective branin("branin");
  const auto [without, with] = regrets(10, [&](Point x) {
    for (double& entry : x) entry = std::min(1.0, entry + 0.03);
    return std::pow(branin.exact(x), 0.5) + 100;
  });
  EXPECT_LT(with, 0.3 * without) << without;
}

TEST(Transfer, OneThatHasNothingInCommonDoesNoHarm) {
  const auto [without, with] =
      regrets(24, [](const Point& x) { return std::sin(9 * x[0] * x[1]) + std::cos(4 * x[1]); });
  EXPECT_LT(with, 1.1 * without + 1e-4);
}

TEST(Transfer, TrialsOfTheSameTaskCountAsTrials) {
  const Space space = cube(2);
  GpProposerOptions options;
  options.seed = 4;
  options.model = quick();
  options.sources = {source_of(space, 20, wave)};
  options.sources.front().same_task = true;
  GpProposer proposer(space, options);
  const Proposal first = proposer.propose(0, {}, {});
  EXPECT_EQ(first.why["rule"], "log-ei");
  EXPECT_EQ(first.why["trials"], 20);
  // As if this run had made them.
  GpProposerOptions alone = options;
  alone.sources.clear();
  GpProposer other(space, alone);
  EXPECT_EQ(other.propose(20, options.sources.front().trials, {}).why["acquisition"].is_number(), true);
  EXPECT_LT(progress(space, options, wave, 3).back(), -0.99 + 0.3 * 0.785);  // the least value is about −0.77
}

TEST(Transfer, AProposalDependsOnSourcesAndHistoryAlone) {
  const Space space = mixed_space();
  GpProposerOptions options;
  options.seed = 4;
  options.model = quick();
  const auto objective = [](const Point& x) { return x[0] + x[2] * x[2]; };
  options.sources = {source_of(space, 20, objective, 1), source_of(space, 10, objective, 2)};
  const SourceTrials before = source_of(space, 14, objective, 3);
  GpProposer old(space, options);
  for (Index number = 9; number < 14; ++number)
    old.propose(number, std::span(before.trials).first(static_cast<std::size_t>(number)), {});
  GpProposer fresh(space, options);
  const std::vector<PendingTrial> pending{{14, before.trials[2].point}};
  const Point one = old.propose(15, before.trials, pending).point,
              two = fresh.propose(15, before.trials, pending).point;
  for (std::size_t i = 0; i < one.size(); ++i)
    EXPECT_TRUE(one[i] == two[i] || (std::isnan(one[i]) && std::isnan(two[i]))) << i;
}

}  // namespace
}  // namespace tempera::test
