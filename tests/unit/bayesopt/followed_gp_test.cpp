#include "core/bayesopt/followed_gp.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

#include "core/base/random_stream.hpp"
#include "core/bayesopt/sobol.hpp"
#include "tests/unit/bayesopt/spaces.hpp"

namespace tempera {
namespace {

using namespace test;

GpFitOptions quick() {
  GpFitOptions options;
  options.hyperparameters.method = HyperMethod::map;
  options.hyperparameters.starts = 2;
  return options;
}

struct Past {
  Eigen::MatrixXd points;
  std::vector<double> values;

  explicit Past(Index n) : points(ScrambledSobol(2, 4, "followed-gp-test").points(0, n).transpose()) {
    for (Index i = 0; i < n; ++i)
      values.push_back(std::sin(5 * points(i, 0)) + points(i, 1) * points(i, 1) +
                       0.01 * std::sin(1000.0 * points(i, 0)));
  }
  void follow(FollowedGp& model, Index n) const {
    ModelTeam alone;
    model.follow(points.topRows(n), std::span(values).first(static_cast<std::size_t>(n)), alone);
  }
};

FollowedGp model(GpFitOptions options = quick()) {
  return {kernels_of(cube(2), options.kernels), options, 7};
}

Eigen::VectorXd means_of(const FollowedGp& model, const Eigen::MatrixXd& points) {
  Eigen::VectorXd mean, variance;
  model.processes().back()->predict(points, mean, variance);
  return mean;
}

TEST(FollowedGp, IsAFunctionOfTheHistoryAndNotOfWhenItWasAsked) {
  const Past past(230);
  for (const HyperMethod method : {HyperMethod::map, HyperMethod::bayes}) {
    GpFitOptions options = quick();
    options.hyperparameters.method = method;
    options.hyperparameters.draws = 2;
    options.hyperparameters.warm_up = 6;
    FollowedGp always = model(options), now_and_then = model(options);
    Index fits = 0, last = 0;
    for (Index n = 95; n <= 130; ++n) {
      past.follow(always, n);
      fits += always.fitted() != last;
      last = always.fitted();
    }
    EXPECT_LT(fits, 15) << "of 36 values; the first six are always followed by a fit";
    for (const Index n : {97, 99, 104, 130}) past.follow(now_and_then, n);
    FollowedGp fresh = model(options);
    past.follow(fresh, 130);
    EXPECT_EQ(fresh.fitted(), always.fitted());
    EXPECT_EQ(means_of(fresh, past.points), means_of(always, past.points));
    EXPECT_EQ(means_of(now_and_then, past.points), means_of(always, past.points));
    if (method == HyperMethod::bayes) continue;
    past.follow(always, 230);  // past 200, where the search begins anew
    past.follow(fresh = model(options), 230);
    EXPECT_EQ(means_of(fresh, past.points), means_of(always, past.points));
    past.follow(always, 110);  // another history
    past.follow(fresh = model(options), 110);
    EXPECT_EQ(means_of(fresh, past.points), means_of(always, past.points));
  }
}

TEST(FollowedGp, AppendedRowsAreThoseOfTheWholeProcess) {
  const Past past(104);
  FollowedGp followed = model();
  past.follow(followed, 104);
  ASSERT_LT(followed.fitted(), 104);
  const ExactGp whole(followed.fit().draws[0], past.points, followed.fit().warp.warped(past.values));
  Eigen::VectorXd mean, variance;
  whole.predict(past.points, mean, variance);
  EXPECT_LT((mean - means_of(followed, past.points)).cwiseAbs().maxCoeff(), 1e-8);
}

TEST(FollowedGp, FindsHyperparametersAnewWhereTheModelIsSurprised) {
  Past past(104);
  FollowedGp followed = model();
  past.follow(followed, 103);
  const Index before = followed.fitted();
  ASSERT_LT(before, 103);
  past.values[103] += 3;
  past.follow(followed, 104);
  EXPECT_EQ(followed.fitted(), 104);
}

TEST(FollowedGp, FindsHyperparametersAnewWhereTheWarpDoesNotCoverAValue) {
  Past past(104);
  for (double& value : past.values) value = std::exp(6 * value);
  FollowedGp followed = model();
  past.follow(followed, 103);
  ASSERT_TRUE(followed.fit().warp.logarithmic());
  ASSERT_LT(followed.fitted(), 103);
  past.values[103] = -1e9;
  past.follow(followed, 104);
  EXPECT_EQ(followed.fitted(), 104);
}

/// As another process would do some of the work: the last piece first.
class Backwards final : public Dealer {
 public:
  std::vector<std::vector<double>> deal(Index pieces, const Piece& piece) override {
    std::vector<std::vector<double>> results(static_cast<std::size_t>(pieces));
    for (Index k = pieces - 1; k >= 0; --k) results[static_cast<std::size_t>(k)] = piece(k);
    return results;
  }
};

class BackwardTeam final : public ModelTeam {
 public:
  Dealer& dealer(bool) override { return dealer_; }

 private:
  Backwards dealer_;
};

/// Values at these points of a function drawn from the prior of a model.
std::vector<double> drawn(const KernelPointer& kernel, const Eigen::VectorXd& theta, const Eigen::MatrixXd& points,
                          std::uint64_t seed) {
  Eigen::MatrixXd covariance(points.rows(), points.rows());
  kernel->evaluate(theta, points, points, covariance);
  covariance.diagonal().array() += 1e-8;
  Eigen::VectorXd normal(points.rows());
  RandomStream stream(seed, "drawn-function");
  for (double& value : normal) value = stream.normal();
  const Eigen::VectorXd values = covariance.llt().matrixL() * normal;
  return {values.begin(), values.end()};
}

TEST(FitGp, TakesTheKernelThatTheFunctionWasDrawnFrom) {
  const Past past(40);
  const GpFitOptions options = quick();
  const auto kernels = kernels_of(cube(2), options.kernels);
  ASSERT_EQ(options.kernels, (std::vector{KernelShape::matern52, KernelShape::rbf}));
  const Eigen::Vector3d theta(0, std::log(0.3), std::log(0.5));
  for (std::size_t shape = 0; shape < kernels.size(); ++shape) {
    Index right = 0;
    for (std::uint64_t seed = 0; seed < 10; ++seed)
      right +=
          fit_gp(kernels, past.points, drawn(kernels[shape], theta, past.points, seed), options, seed).kernel == shape;
    EXPECT_GE(right, 8) << "of ten functions of kernel " << shape;
  }
}

TEST(FitGp, FromSoManyPointsOnTheMostProbableHyperparametersStandForDraws) {
  const Past past(20);
  GpFitOptions options = quick();
  options.hyperparameters.method = HyperMethod::bayes;
  options.hyperparameters.draws = 4;
  options.draws_below = 20;
  const auto kernels = kernels_of(cube(2), options.kernels);
  const auto fit = [&](Index n) {
    return fit_gp(kernels, past.points.topRows(n), std::span(past.values).first(static_cast<std::size_t>(n)), options,
                  3);
  };
  EXPECT_EQ(fit(19).draws.size(), 4u);
  const FittedGp one = fit(20);
  ASSERT_EQ(one.hyper.draws.size(), 1u);
  EXPECT_EQ(one.hyper.draws.front(), one.hyper.mode);
}

TEST(FitGp, DoesNotDependOnWhoDoesWhatWhen) {
  const Past past(40);
  GpFitOptions options = quick();
  options.hyperparameters.method = HyperMethod::bayes;
  options.hyperparameters.draws = 4;
  const auto kernels = kernels_of(cube(2), options.kernels);
  BackwardTeam team;
  const FittedGp one = fit_gp(kernels, past.points, past.values, options, 3);
  const FittedGp other = fit_gp(kernels, past.points, past.values, options, 3, team);
  EXPECT_EQ(one.hyper.mode, other.hyper.mode);
  EXPECT_EQ(one.hyper.draws, other.hyper.draws);
  EXPECT_EQ(one.evaluations, other.evaluations);
}

}  // namespace
}  // namespace tempera
