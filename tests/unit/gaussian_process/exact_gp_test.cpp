#include "core/gaussian_process/exact_gp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <numbers>

#include "core/base/error.hpp"
#include "core/base/random_stream.hpp"

namespace tempera {
namespace {

Eigen::MatrixXd random_points(Eigen::Index rows, Eigen::Index columns, Index which) {
  RandomStream stream(5, "exact-gp-test", {which});
  return Eigen::MatrixXd::NullaryExpr(rows, columns, [&] { return stream.uniform(); });
}

GpModel model(double noise, double constant = 0.5) {
  GpModel result{scaled(stationary_kernel(KernelShape::matern52, {0, 1}, {"a", "b"})), Eigen::VectorXd(3), noise,
                 constant};
  result.theta << std::log(1.3), std::log(0.3), std::log(0.6);
  return result;
}

Eigen::VectorXd wave(const Eigen::MatrixXd& x) {
  return (5 * x.col(0).array()).sin() + x.col(1).array().square();
}

/// By inverse and determinant.
struct Naive {
  Naive(const GpModel& of, const Eigen::MatrixXd& at, double jitter) : model(of), x(at), k(at.rows(), at.rows()) {
    model.kernel->evaluate(model.theta, x, x, k);
    k.array() += model.constant;
    k.diagonal().array() += model.noise + jitter;
    inverse = k.inverse();
  }
  Eigen::MatrixXd cross(const Eigen::MatrixXd& at) const {
    Eigen::MatrixXd result(x.rows(), at.rows());
    model.kernel->evaluate(model.theta, x, at, result);
    return result.array() + model.constant;
  }
  GpModel model;
  Eigen::MatrixXd x, k, inverse;
};

TEST(ExactGp, IsTheConditionalNormal) {
  for (const Eigen::Index n : {1, 2, 60, 200}) {
    const Eigen::MatrixXd x = random_points(n, 2, n), at = random_points(9, 2, 1000);
    const Eigen::VectorXd y = wave(x);
    const ExactGp gp(model(1e-2), x, y);
    const Naive naive(model(1e-2), x, gp.jitter());
    const Eigen::MatrixXd side = naive.cross(at);
    Eigen::MatrixXd prior(9, 9), covariance;
    gp.model().kernel->evaluate(gp.model().theta, at, at, prior);
    prior.array() += 0.5;
    const Eigen::VectorXd mean = side.transpose() * naive.inverse * y;
    const Eigen::MatrixXd posterior = prior - side.transpose() * naive.inverse * side;
    Eigen::VectorXd found, variance, joint;
    gp.predict(at, found, variance);
    gp.predict_jointly(at, joint, covariance);
    EXPECT_LT((found - mean).cwiseAbs().maxCoeff(), 1e-9) << n;
    EXPECT_LT((variance - posterior.diagonal()).cwiseAbs().maxCoeff(), 1e-9) << n;
    EXPECT_LT((joint - mean).cwiseAbs().maxCoeff(), 1e-9) << n;
    EXPECT_LT((covariance - posterior).cwiseAbs().maxCoeff(), 1e-9) << n;
    const double determinant =
        Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(naive.k).eigenvalues().array().log().sum();
    const double evidence =
        -0.5 * (y.dot(naive.inverse * y) + determinant + static_cast<double>(n) * std::log(2 * std::numbers::pi));
    EXPECT_NEAR(gp.log_evidence(), evidence, 1e-9 * std::abs(evidence)) << n;
  }
}

TEST(ExactGp, InterpolatesWithoutNoiseAndKnowsNothingFarAway) {
  const Eigen::MatrixXd x = random_points(20, 2, 1);
  const ExactGp gp(model(0), x, wave(x));
  Eigen::VectorXd mean, variance;
  gp.predict(x, mean, variance);
  EXPECT_LT((mean - wave(x)).cwiseAbs().maxCoeff(), 1e-6);
  EXPECT_LT(variance.maxCoeff(), 1e-6);
  EXPECT_LT((gp.fitted() - mean).cwiseAbs().maxCoeff(), 1e-9);
  gp.predict(Eigen::MatrixXd::Constant(1, 2, 1e3), mean, variance);
  EXPECT_GT(variance[0], 1.69);  // that of f, and what is left of the constant's
  EXPECT_LT(variance[0], 1.69 + 0.5);
}

TEST(ExactGp, WithoutDataIsThePrior) {
  const ExactGp gp(model(1e-2), Eigen::MatrixXd(0, 2), Eigen::VectorXd(0));
  Eigen::VectorXd mean, variance;
  gp.predict(random_points(3, 2, 0), mean, variance);
  EXPECT_EQ(mean.cwiseAbs().maxCoeff(), 0);
  EXPECT_NEAR(variance[1], 1.69 + 0.5, 1e-12);
  EXPECT_EQ(gp.log_evidence(), 0);
}

TEST(ExactGp, PredictionsHaveTheGradientsThatDifferencesTell) {
  const Eigen::MatrixXd x = random_points(40, 2, 2), at = random_points(3, 2, 3);
  const ExactGp gp(model(1e-3), x, wave(x));
  Eigen::VectorXd mean, variance, means, variances;
  Eigen::MatrixXd mean_gradients, variance_gradients;
  gp.predict_with_gradients(at, mean, variance, mean_gradients, variance_gradients);
  gp.predict(at, means, variances);
  EXPECT_LT((mean - means).cwiseAbs().maxCoeff(), 1e-13);
  EXPECT_LT((variance - variances).cwiseAbs().maxCoeff(), 1e-13);
  for (Eigen::Index i = 0; i < at.rows(); ++i)
    for (Eigen::Index f = 0; f < 2; ++f) {
      constexpr double kStep = 1e-5;
      Eigen::MatrixXd both(2, 2);
      both << at.row(i), at.row(i);
      both(0, f) += kStep;
      both(1, f) -= kStep;
      gp.predict(both, means, variances);
      EXPECT_NEAR(mean_gradients(f, i), (means[0] - means[1]) / (2 * kStep), 1e-6);
      EXPECT_NEAR(variance_gradients(f, i), (variances[0] - variances[1]) / (2 * kStep), 1e-6);
    }
}

TEST(ExactGp, AppendingIsFactoringAnew) {
  const Eigen::MatrixXd x = random_points(90, 2, 4), at = random_points(5, 2, 5);
  ExactGp gp(model(1e-4), x.topRows(50), wave(x.topRows(50)));
  gp.append(x.middleRows(50, 1), wave(x.middleRows(50, 1)));
  gp.append(x.bottomRows(39), wave(x.bottomRows(39)));
  const ExactGp whole(model(1e-4), x, wave(x));
  Eigen::VectorXd mean, variance, expected_mean, expected_variance;
  gp.predict(at, mean, variance);
  whole.predict(at, expected_mean, expected_variance);
  EXPECT_LT((mean - expected_mean).cwiseAbs().maxCoeff(), 1e-10);
  EXPECT_LT((variance - expected_variance).cwiseAbs().maxCoeff(), 1e-10);
  EXPECT_NEAR(gp.log_evidence(), whole.log_evidence(), 1e-8);
}

TEST(ExactGp, LeavesOneOutAsRefitsDo) {
  const Eigen::MatrixXd x = random_points(25, 2, 6);
  const Eigen::VectorXd y = wave(x);
  const ExactGp gp(model(1e-2), x, y);
  Eigen::VectorXd mean, variance, refit_mean, refit_variance;
  gp.leave_one_out(mean, variance);
  for (Eigen::Index i = 0; i < 25; ++i) {
    Eigen::MatrixXd others(24, 2);
    Eigen::VectorXd values(24);
    others << x.topRows(i), x.bottomRows(24 - i);
    values << y.head(i), y.tail(24 - i);
    ExactGp(model(1e-2), others, values).predict(x.row(i), refit_mean, refit_variance);
    EXPECT_NEAR(mean[i], refit_mean[0], 1e-8);
    EXPECT_NEAR(variance[i], refit_variance[0] + 1e-2, 1e-8);
  }
}

TEST(ExactGp, TakesDuplicatesByJitterAndNamesTheCulpritsWhereThatIsNotEnough) {
  Eigen::MatrixXd x = random_points(30, 2, 7);
  x.row(20) = x.row(3);
  const ExactGp gp(model(0), x, wave(x));
  EXPECT_GT(gp.jitter(), 0);
  GpModel broken = model(-3);  // no variance at all
  try {
    const ExactGp refused(broken, x, wave(x));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::numerical);
    EXPECT_THAT(error.message(), testing::HasSubstr("the closest are points 3 and 20, at distance 0"));
  }
}

}  // namespace
}  // namespace tempera
