#include "core/bayesopt/pending_surrogate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/random_stream.hpp"
#include "core/bayesopt/acquisition.hpp"
#include "core/bayesopt/sobol.hpp"
#include "tests/unit/bayesopt/fake_surrogates.hpp"

namespace tempera {
namespace {

using test::PlainGp;

constexpr double kNoise = 1e-6;

Eigen::MatrixXd data_points() {
  return ScrambledSobol(2, 3, "test").points(0, 12);
}
Eigen::VectorXd data_values() {
  const Eigen::ArrayXXd x = data_points();
  return ((5 * x.row(0)).sin() + (x.row(1) - 0.4).square() * 3).matrix().transpose();
}
PlainGp model() {
  return PlainGp(data_points(), data_values(), 0.4, kNoise);
}
const Eigen::MatrixXd kPending{{0.35, 0.8, 0.15}, {0.6, 0.9, 0.2}};
const Eigen::MatrixXd kPoints{{0.3, 0.9, 0.5, 0.81}, {0.5, 0.1, 0.5, 0.88}};

TEST(PendingSurrogate, IsTheModelOfTheLargerData) {
  // Believer: the values at the pending points are their means. A Gaussian process with these as data tells the same.
  const PlainGp base = model();
  Eigen::MatrixXd mean, sd;
  base.predict(kPending, mean, sd);
  Eigen::MatrixXd points(2, 15);
  points << data_points(), kPending;
  Eigen::VectorXd values(15);
  values << data_values(), mean;
  const PlainGp larger(points, values, 0.4, kNoise);
  const PendingSurrogate pending(base, kPending, {.outcome = PendingOutcome::believer, .noise_variance = {kNoise}});
  ASSERT_EQ(pending.draws(), 1);
  Eigen::MatrixXd expected_mean, expected_sd;
  larger.predict(kPoints, expected_mean, expected_sd);
  pending.predict(kPoints, mean, sd);
  EXPECT_LT((mean - expected_mean).norm(), 1e-7);
  EXPECT_LT((sd - expected_sd).norm(), 1e-7);
  EXPECT_NEAR(pending.best(0), larger.best(0), 1e-6);
  Eigen::VectorXd joint_mean, expected_joint_mean;
  Eigen::MatrixXd covariance, expected_covariance;
  pending.predict_jointly(kPoints, 0, joint_mean, covariance);
  larger.predict_jointly(kPoints, 0, expected_joint_mean, expected_covariance);
  EXPECT_LT((joint_mean - expected_joint_mean).norm(), 1e-7);
  EXPECT_LT((covariance - expected_covariance).norm(), 1e-7);
}

TEST(PendingSurrogate, LiarsValueIsTheBest) {
  const PlainGp base = model();
  const PendingSurrogate pending(base, kPending, {.outcome = PendingOutcome::liar});
  Eigen::MatrixXd mean, sd;
  pending.predict(kPending, mean, sd);
  for (Index i = 0; i < 3; ++i) EXPECT_NEAR(mean(i, 0), base.best(0), 1e-6);
  EXPECT_LT(sd.maxCoeff(), 1e-3);
}

TEST(PendingSurrogate, FantasiesHaveTheModelsMoments) {
  // Of the values at other points: averaged over fantasies, means are the model's, and what their spread adds to the
  // remaining variance is the model's variance. 4096 Sobol points: errors well below 1e-2.
  const PlainGp base = model();
  const PendingSurrogate pending(base, kPending, {.fantasies = 4096, .seed = 5});
  Eigen::MatrixXd mean, sd, base_mean, base_sd;
  base.predict(kPoints, base_mean, base_sd);
  pending.predict(kPoints, mean, sd);
  for (Index i = 0; i < kPoints.cols(); ++i) {
    EXPECT_NEAR(mean.row(i).mean(), base_mean(i, 0), 1e-3 * base_sd(i, 0));
    const double spread = (mean.row(i).array() - mean.row(i).mean()).square().mean();
    EXPECT_NEAR(spread + sd(i, 0) * sd(i, 0), base_sd(i, 0) * base_sd(i, 0), 5e-3 * base_sd(i, 0) * base_sd(i, 0));
    EXPECT_LT(sd(i, 0), base_sd(i, 0));
  }
}

TEST(PendingSurrogate, GradientsMatchDifferences) {
  const PlainGp base = model();
  const PendingSurrogate pending(base, kPending, {.fantasies = 3});
  for (Index i = 0; i < kPoints.cols(); ++i) {
    const std::vector<double> x{kPoints(0, i), kPoints(1, i)};
    Eigen::VectorXd mean, sd, up_mean, up_sd, down_mean, down_sd;
    Eigen::MatrixXd mean_gradient, sd_gradient, unused, unused_too;
    pending.predict_with_gradient(x, mean, sd, mean_gradient, sd_gradient);
    Eigen::MatrixXd batch_mean, batch_sd;
    pending.predict(kPoints.col(i), batch_mean, batch_sd);
    EXPECT_LT((mean - batch_mean.transpose()).norm() + (sd - batch_sd.transpose()).norm(), 1e-9);
    for (std::size_t j = 0; j < 2; ++j) {
      std::vector<double> up = x, down = x;
      up[j] += 1e-5;
      down[j] -= 1e-5;
      pending.predict_with_gradient(up, up_mean, up_sd, unused, unused_too);
      pending.predict_with_gradient(down, down_mean, down_sd, unused, unused_too);
      const auto row = static_cast<Index>(j);
      EXPECT_LT((mean_gradient.row(row).transpose() - (up_mean - down_mean) / 2e-5).norm(), 1e-5);
      EXPECT_LT((sd_gradient.row(row).transpose() - (up_sd - down_sd) / 2e-5).norm(), 1e-5);
    }
  }
}

/// E max(best − min(f_1 … f_q), 0) and its standard error, of 10⁶ draws.
std::pair<double, double> batch_improvement(const Surrogate& base, const Eigen::MatrixXd& points) {
  Eigen::VectorXd mean, normals(points.cols());
  Eigen::MatrixXd covariance;
  base.predict_jointly(points, 0, mean, covariance);
  const Eigen::MatrixXd factor = covariance.llt().matrixL();
  RandomStream stream(23, "test-batch");
  constexpr int kDraws = 1'000'000;
  double sum = 0, squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    for (double& normal : normals) normal = stream.normal();
    const double gain = std::max(0.0, base.best(0) - (mean + factor * normals).minCoeff());
    sum += gain;
    squares += gain * gain;
  }
  sum /= kDraws;
  return {sum, std::sqrt((squares / kDraws - sum * sum) / kDraws)};
}

TEST(PendingSurrogate, LogExpectedImprovementIsThatOfTheBatch) {
  // E of the batch with x = E of the batch without + E of what x adds to it; 4 standard errors, and those of the fantasies.
  const PlainGp base = model();
  const PendingSurrogate pending(base, kPending, {.fantasies = 16384, .seed = 1});
  const ModelAcquisition acquisition(AcquisitionRule{}, pending);
  std::vector<double> values(static_cast<std::size_t>(kPoints.cols()));
  acquisition.values(kPoints, values);
  const auto [without, without_error] = batch_improvement(base, kPending);
  for (Index i = 0; i < kPoints.cols(); ++i) {
    Eigen::MatrixXd batch(2, 4);
    batch << kPending, kPoints.col(i);
    const auto [with, with_error] = batch_improvement(base, batch);
    const double added = std::exp(values[static_cast<std::size_t>(i)]);
    EXPECT_NEAR(without + added, with, 4 * std::hypot(with_error, without_error)) << "point " << i;
  }
}

TEST(PendingSurrogate, FarFromPendingPointsItIsTheModel) {
  // Points of another neighbourhood than the pending one, none of which improves on the best: length scale 0.05.
  Eigen::VectorXd values = data_values();
  values[0] = -6;
  const PlainGp base(data_points(), values, 0.05, kNoise);
  const PendingSurrogate pending(base, Eigen::MatrixXd{{0.98}, {0.02}}, {.fantasies = 64});
  const ModelAcquisition plain(AcquisitionRule{}, base), with(AcquisitionRule{}, pending);
  const Eigen::MatrixXd far{{0.1, 0.2}, {0.9, 0.6}};
  std::vector<double> a(2), b(2);
  plain.values(far, a);
  with.values(far, b);
  EXPECT_NEAR(a[0], b[0], 0.01);
  EXPECT_NEAR(a[1], b[1], 0.01);
}

TEST(PendingSurrogate, NothingIsToBeGainedAtAPendingPoint) {
  const PlainGp base = model();
  const PendingSurrogate pending(base, kPending, {});
  const ModelAcquisition plain(AcquisitionRule{}, base), with(AcquisitionRule{}, pending);
  std::vector<double> a(3), b(3);
  plain.values(kPending, a);
  with.values(kPending, b);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_LT(b[i], a[i] - 3) << i;
}

TEST(PendingSurrogate, TheSameKeysGiveTheSameFantasies) {
  const PlainGp base = model();
  const auto means = [&](std::uint64_t seed, Index number) {
    Eigen::MatrixXd mean, sd;
    PendingSurrogate(base, kPending, {.seed = seed, .number = number}).predict(kPoints, mean, sd);
    return mean;
  };
  EXPECT_EQ(means(1, 2), means(1, 2));
  EXPECT_NE(means(1, 2), means(1, 3));
  EXPECT_NE(means(1, 2), means(2, 2));
}

}  // namespace
}  // namespace tempera
