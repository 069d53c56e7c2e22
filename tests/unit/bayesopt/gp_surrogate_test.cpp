#include "core/bayesopt/gp_surrogate.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/bayesopt/pending_surrogate.hpp"
#include "core/bayesopt/sobol.hpp"

namespace tempera {
namespace {

constexpr double kNoise = 1e-4;

/// Two draws of the hyperparameters, three features, 20 points; the second with an unknown constant.
std::vector<ExactGp> processes() {
  const Eigen::MatrixXd points = ScrambledSobol(3, 8, "test").points(0, 20).transpose();
  const Eigen::VectorXd values = (4 * points.col(0).array()).sin() + points.col(1).array() * points.col(2).array();
  const KernelPointer kernel = scaled(stationary_kernel(KernelShape::matern52, {0, 1, 2}, {"a", "b", "c"}));
  std::vector<ExactGp> result;
  result.emplace_back(GpModel{kernel, Eigen::Vector4d(0.2, -0.7, -0.4, 0.3), kNoise, 0}, points, values);
  result.emplace_back(GpModel{kernel, Eigen::Vector4d(-0.3, -1.2, 0.1, -0.5), 2 * kNoise, 0.7}, points, values);
  return result;
}

const Eigen::MatrixXd kFixed{{0.1, 0.7}, {0.8, 0.3}, {0.4, 0.5}};
const Eigen::MatrixXd kPoints{{0.2, 0.5, 0.9}, {0.7, 0.5, 0.2}, {0.4, 0.6, 0.1}};

TEST(GpSurrogate, CovariancesAreThoseOfJointPredictions) {
  const GpSurrogate model(processes());
  const auto fast = model.covariance_with(kFixed), plain = model.Surrogate::covariance_with(kFixed);
  for (Index s = 0; s < 2; ++s) {
    Eigen::MatrixXd a, b;
    fast->values(kPoints, s, a);
    plain->values(kPoints, s, b);
    EXPECT_LT((a - b).cwiseAbs().maxCoeff(), 1e-11);
    for (Index i = 0; i < kPoints.cols(); ++i) {
      const std::span<const double> x(kPoints.col(i).data(), 3);
      Eigen::VectorXd value, other;
      fast->with_gradient(x, s, value, a);
      plain->with_gradient(x, s, other, b);
      EXPECT_LT((value - other).cwiseAbs().maxCoeff(), 1e-11);
      EXPECT_LT((a - b).cwiseAbs().maxCoeff(), 1e-6) << "point " << i << " of draw " << s;
    }
  }
}

TEST(GpSurrogate, GivenPendingPointsItIsTheProcessWithTheseAppended) {
  const GpSurrogate model(processes());
  const PendingSurrogate pending(model, kFixed,
                                 {.outcome = PendingOutcome::believer, .noise_variance = {kNoise, 2 * kNoise}});
  std::vector<ExactGp> appended = processes();
  for (ExactGp& process : appended) {
    Eigen::VectorXd mean, variance;
    process.predict(kFixed.transpose(), mean, variance);
    process.append(kFixed.transpose(), mean);
  }
  const GpSurrogate larger(std::move(appended));
  Eigen::MatrixXd mean, sd, expected_mean, expected_sd;
  pending.predict(kPoints, mean, sd);
  larger.predict(kPoints, expected_mean, expected_sd);
  EXPECT_LT((mean - expected_mean).cwiseAbs().maxCoeff(), 1e-8);
  EXPECT_LT((sd - expected_sd).cwiseAbs().maxCoeff(), 1e-8);
  for (Index s = 0; s < 2; ++s) EXPECT_NEAR(pending.best(s), larger.best(s), 1e-8);
}

}  // namespace
}  // namespace tempera
