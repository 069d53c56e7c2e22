#include "core/bayesopt/gp_surrogate.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/random_stream.hpp"

namespace tempera {
namespace {

/// Two processes of different hyperparameters.
GpSurrogate surrogate(double noise) {
  RandomStream stream(9, "gp-surrogate-test");
  const Eigen::MatrixXd x = Eigen::MatrixXd::NullaryExpr(20, 2, [&] { return stream.uniform(); });
  const Eigen::VectorXd y = (4 * x.col(0).array()).sin() + x.col(1).array();
  std::vector<ExactGp> draws;
  for (const double length : {0.3, 0.7}) {
    GpModel model{scaled(stationary_kernel(KernelShape::matern52, {0, 1}, {"a", "b"})), Eigen::VectorXd(3), noise, 1};
    model.theta << 0.1, std::log(length), std::log(2 * length);
    draws.emplace_back(model, x, y);
  }
  return GpSurrogate(std::move(draws));
}

TEST(GpSurrogateDraws, TellsWhatItsProcessesTell) {
  const GpSurrogate model = surrogate(1e-3);
  Eigen::MatrixXd points(2, 3), mean, sd;
  points << 0.1, 0.5, 0.9, 0.3, 0.3, 0.8;
  model.predict(points, mean, sd);
  for (Eigen::Index s = 0; s < 2; ++s) {
    Eigen::VectorXd means, variances, joint;
    Eigen::MatrixXd covariance;
    model.process(s).predict(points.transpose(), means, variances);
    EXPECT_EQ(mean.col(s), means);
    EXPECT_LT((sd.col(s).array().square() - variances.array()).abs().maxCoeff(), 1e-14);
    model.predict_jointly(points, s, joint, covariance);
    EXPECT_LT((covariance.diagonal() - variances).cwiseAbs().maxCoeff(), 1e-12);
  }
}

TEST(GpSurrogateDraws, HasTheGradientsThatDifferencesTell) {
  const GpSurrogate model = surrogate(1e-3);
  const std::vector<double> point{0.4, 0.6};
  Eigen::VectorXd mean, sd;
  Eigen::MatrixXd mean_gradient, sd_gradient, means, sds;
  model.predict_with_gradient(point, mean, sd, mean_gradient, sd_gradient);
  for (Eigen::Index f = 0; f < 2; ++f) {
    constexpr double kStep = 1e-5;
    Eigen::MatrixXd both(2, 2);
    both << 0.4, 0.4, 0.6, 0.6;
    both(f, 0) += kStep;
    both(f, 1) -= kStep;
    model.predict(both, means, sds);
    for (Eigen::Index s = 0; s < 2; ++s) {
      EXPECT_NEAR(mean_gradient(f, s), (means(0, s) - means(1, s)) / (2 * kStep), 1e-6);
      EXPECT_NEAR(sd_gradient(f, s), (sds(0, s) - sds(1, s)) / (2 * kStep), 1e-6);
    }
  }
}

TEST(GpSurrogateDraws, HasToBeatTheLeastMeanAtThePointsThatCount) {
  GpSurrogate model = surrogate(0.04);
  std::vector<bool> counts(20, true);
  for (const Index s : {0, 1}) {
    const GaussianProcess& process = model.process(s);
    Eigen::Index least = 0;
    EXPECT_EQ(model.best(s), process.fitted().minCoeff(&least));
    EXPECT_GT(model.best(s), process.values().minCoeff()) << "noise is smoothed";
    counts[static_cast<std::size_t>(least)] = false;
  }
  const double before = model.best(0);
  model.restrict_best(counts);
  EXPECT_GT(model.best(0), before);
}

TEST(GpSurrogateDraws, IsNeverQuiteSure) {
  const GpSurrogate model = surrogate(0);
  Eigen::MatrixXd mean, sd;
  model.predict(model.process(0).points().transpose(), mean, sd);
  EXPECT_GT(sd.minCoeff(), 0);
  EXPECT_LT(sd.maxCoeff(), 1e-4);
}

}  // namespace
}  // namespace tempera
