#include "core/minimization/lbfgs.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tempera {
namespace {

TEST(Lbfgs, FindsTheMinimumOfAnIllConditionedQuadratic) {
  const SmoothFunction bowl = [](std::span<const double> x, std::span<double> gradient) {
    double value = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double curvature = std::pow(10.0, static_cast<double>(i) / 2), off = x[i] - static_cast<double>(i);
      value += curvature * off * off / 2;
      gradient[i] = curvature * off;
    }
    return value;
  };
  const auto result = minimize_lbfgs(bowl, std::vector<double>(8, 20.0), {.evaluations = 500, .promised = 1e-18});
  for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(result.x[i], static_cast<double>(i), 1e-7);
  EXPECT_LT(result.evaluations, 300);
}

TEST(Lbfgs, FollowsTheValleyOfRosenbrock) {
  const SmoothFunction valley = [](std::span<const double> x, std::span<double> gradient) {
    const double a = x[1] - x[0] * x[0], b = 1 - x[0];
    gradient[0] = -400 * a * x[0] - 2 * b;
    gradient[1] = 200 * a;
    return 100 * a * a + b * b;
  };
  const auto result = minimize_lbfgs(valley, {-1.2, 1});
  EXPECT_NEAR(result.x[0], 1, 1e-4);
  EXPECT_NEAR(result.x[1], 1, 1e-4);
}

TEST(Lbfgs, GoesBackFromWhereThereIsNoValue) {
  // log barrier: its minimum is at 1, and left of 0 there is none.
  const SmoothFunction barrier = [](std::span<const double> x, std::span<double> gradient) {
    gradient[0] = 1 - 1 / x[0];
    return x[0] > 0 ? x[0] - std::log(x[0]) : std::numeric_limits<double>::quiet_NaN();
  };
  EXPECT_NEAR(minimize_lbfgs(barrier, {1e-3}, {.promised = 1e-14}).x[0], 1, 1e-4);
  EXPECT_NEAR(minimize_lbfgs(barrier, {50}).x[0], 1, 1e-4);
  const auto nowhere = minimize_lbfgs(barrier, {-1});
  EXPECT_EQ(nowhere.x[0], -1);
  EXPECT_EQ(nowhere.evaluations, 1);
}

TEST(Lbfgs, NeverTakesMoreEvaluationsThanAllowed) {
  Index calls = 0;
  const SmoothFunction counted = [&](std::span<const double> x, std::span<double> gradient) {
    ++calls;
    gradient[0] = 4 * x[0] * x[0] * x[0];
    return x[0] * x[0] * x[0] * x[0];
  };
  EXPECT_EQ(minimize_lbfgs(counted, {5}, {.evaluations = 7, .promised = 0}).evaluations, 7);
  EXPECT_EQ(calls, 7);
}

}  // namespace
}  // namespace tempera
