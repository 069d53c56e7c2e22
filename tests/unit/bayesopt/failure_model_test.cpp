#include "core/bayesopt/failure_model.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/bayesopt/spaces.hpp"

namespace tempera::test {
namespace {

struct FailureModels : testing::Test {
  FailureModels() {
    RandomStream stream(3, "points");
    points = Eigen::MatrixXd::NullaryExpr(75, 2, [&] { return stream.uniform(); });
    for (Eigen::Index i = 0; i < points.rows(); ++i) failed.push_back(points(i, 0) < 0.4 ? 1 : -1);
  }
  FailureSurrogate of(FailureModel& model, Eigen::Index count) const {
    return model.follow(points.topRows(count), {failed.begin(), failed.begin() + count});
  }
  /// P(ok) along a line across the edge.
  static std::vector<double> probabilities(const FailureSurrogate& model) {
    Eigen::MatrixXd line(2, 9), mean, sd;
    for (Eigen::Index k = 0; k < 9; ++k) line.col(k) << 0.1 * static_cast<double>(k + 1), 0.5;
    model.predict(line, mean, sd);
    std::vector<double> result;
    for (Eigen::Index k = 0; k < 9; ++k)
      result.push_back(0.5 * std::erfc(mean(k, 0) / std::hypot(1, sd(k, 0)) / std::sqrt(2.0)));
    return result;
  }

  Space space = cube(2);
  Eigen::MatrixXd points;
  std::vector<double> failed;
};

TEST_F(FailureModels, AreSureFarFromAnEdgeAndDoubtOnIt) {
  FailureModel model(space, KernelShape::matern52, 1);
  const std::vector<double> ok = probabilities(of(model, 60));
  EXPECT_LT(ok[0], 0.02);
  EXPECT_LT(ok[1], 0.02);
  EXPECT_GT(ok[3], 0.1);
  EXPECT_LT(ok[3], 0.9);
  for (std::size_t k = 5; k < 9; ++k) EXPECT_GT(ok[k], 0.98);
}

TEST_F(FailureModels, DependOnTheHistoryAlone) {
  FailureModel old(space, KernelShape::matern52, 1);
  for (const Eigen::Index count : {5, 30, 39, 41, 46, 60, 74}) of(old, count);
  FailureModel fresh(space, KernelShape::matern52, 1);
  EXPECT_EQ(probabilities(of(old, 75)), probabilities(of(fresh, 75)));
  EXPECT_EQ(probabilities(of(old, 52)), probabilities(of(fresh, 52)));
}

TEST_F(FailureModels, HaveGradientsThatEqualDifferences) {
  FailureModel model(space, KernelShape::matern52, 1);
  const FailureSurrogate surrogate = of(model, 40);
  constexpr double kStep = 1e-5;
  const std::vector<double> x{0.45, 0.3};
  Eigen::VectorXd mean, sd;
  Eigen::MatrixXd mean_gradient, sd_gradient, means, sds;
  surrogate.predict_with_gradient(x, mean, sd, mean_gradient, sd_gradient);
  for (Eigen::Index f = 0; f < 2; ++f) {
    Eigen::MatrixXd both = Eigen::Map<const Eigen::VectorXd>(x.data(), 2).replicate(1, 2);
    both(f, 0) += kStep;
    both(f, 1) -= kStep;
    surrogate.predict(both, means, sds);
    EXPECT_NEAR(mean_gradient(f, 0), (means(0, 0) - means(1, 0)) / (2 * kStep), 1e-4);
    EXPECT_NEAR(sd_gradient(f, 0), (sds(0, 0) - sds(1, 0)) / (2 * kStep), 1e-4);
  }
}

}  // namespace
}  // namespace tempera::test
