#include "core/minimization/bounded.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

namespace tempera {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double rosenbrock(std::span<const double> x, std::span<double> gradient) {
  const double a = x[1] - x[0] * x[0], b = 1 - x[0];
  gradient[0] = -400 * x[0] * a - 2 * b;
  gradient[1] = 200 * a;
  return 100 * a * a + b * b;
}

TEST(MinimizeInBox, FindsMinimumInside) {
  const std::vector<double> start{-1.2, 1}, low{-5, -5}, high{10, 10};
  const BoundedMinimum minimum = minimize_in_box(rosenbrock, start, low, high);
  EXPECT_NEAR(minimum.point[0], 1, 1e-4);
  EXPECT_NEAR(minimum.point[1], 1, 1e-4);
  EXPECT_LE(minimum.evaluations, 100);
}

TEST(MinimizeInBox, FindsMinimumAtBounds) {
  // On x₀ ≤ ½ the least value lies at the bound: x₁ = ¼, value ¼.
  const std::vector<double> start{-1.2, 1}, low{-5, -5}, high{0.5, 10};
  const BoundedMinimum minimum = minimize_in_box(rosenbrock, start, low, high);
  EXPECT_EQ(minimum.point[0], 0.5);
  EXPECT_NEAR(minimum.point[1], 0.25, 1e-5);
  EXPECT_NEAR(minimum.value, 0.25, 1e-8);
}

TEST(MinimizeInBox, NeverLeavesTheBoxAndReturnsTheBestThatWasSeen) {
  double least = std::numeric_limits<double>::infinity();
  const std::vector<double> start{0.3, -1, 0.7}, low{-1, -1, 0.7}, high{1, 2, 0.7};
  const auto wavy = [&](std::span<const double> x, std::span<double> gradient) {
    double value = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_TRUE(low[i] <= x[i] && x[i] <= high[i]);
      value += std::sin(7 * x[i]) + x[i] * x[i];
      gradient[i] = 7 * std::cos(7 * x[i]) + 2 * x[i];
    }
    least = std::min(least, value);
    return value;
  };
  const BoundedMinimum minimum = minimize_in_box(wavy, start, low, high);
  EXPECT_EQ(minimum.value, least);
  EXPECT_EQ(minimum.point[2], 0.7) << "a coordinate without a range stays";
  std::vector<double> gradient(3);
  EXPECT_EQ(wavy(minimum.point, gradient), minimum.value);
  EXPECT_NEAR(gradient[0], 0, 1e-3);
}

TEST(MinimizeInBox, EvaluatesNoMoreOftenThanItMay) {
  const std::vector<double> start{-1.2, 1}, low{-5, -5}, high{10, 10};
  for (const Index most : {1, 2, 3, 7}) {
    Index calls = 0;
    const BoundedMinimum minimum = minimize_in_box(
        [&](std::span<const double> x, std::span<double> gradient) { return ++calls, rosenbrock(x, gradient); }, start,
        low, high, {.evaluations = most});
    EXPECT_LE(calls, most);
    EXPECT_EQ(minimum.evaluations, calls);
    EXPECT_LE(minimum.value, 24.2 + 1e-12);
  }
}

TEST(MinimizeInBox, ValuesThatAreNotFiniteAreBadAndEndNothing) {
  // A wall of NaN at x < 0.2 between the start and where the gradient leads; the least value beside it.
  const std::vector<double> start{0.9}, low{0}, high{1};
  const BoundedMinimum minimum = minimize_in_box(
      [](std::span<const double> x, std::span<double> gradient) {
        gradient[0] = x[0] < 0.2 ? kNaN : 1;
        return x[0] < 0.2 ? kNaN : x[0];
      },
      start, low, high);
  EXPECT_LT(minimum.value, 0.9);
  EXPECT_GE(minimum.value, 0.2);

  for (const double bad : {kNaN, std::numeric_limits<double>::infinity()}) {
    const BoundedMinimum none =
        minimize_in_box([bad](std::span<const double>, std::span<double>) { return bad; }, start, low, high);
    EXPECT_EQ(none.point, start);
    EXPECT_FALSE(std::isfinite(none.value));
    EXPECT_EQ(none.evaluations, 1);
  }
}

TEST(MinimizeInBox, FlatAndRoughFunctionsEnd) {
  const std::vector<double> start{0.5, 0.5}, low{0, 0}, high{1, 1};
  const BoundedMinimum flat = minimize_in_box(
      [](std::span<const double>, std::span<double> gradient) { return gradient[0] = gradient[1] = 0, 3.0; }, start,
      low, high);
  EXPECT_EQ(flat.value, 3);
  // A gradient that does not belong to the values: line searches fail by rounding errors.
  const BoundedMinimum wrong = minimize_in_box(
      [](std::span<const double> x, std::span<double> gradient) { return gradient[0] = gradient[1] = 1, -x[0] - x[1]; },
      start, low, high);
  EXPECT_LE(wrong.value, -1);
}

TEST(MinimizeInBox, WhatTheFunctionThrowsArrives) {
  const std::vector<double> start{-1.2, 1}, low{-5, -5}, high{10, 10};
  for (const int last : {1, 3}) {
    int calls = 0;
    const auto thrower = [&](std::span<const double> x, std::span<double> gradient) {
      if (++calls == last) throw std::runtime_error("stop");
      return rosenbrock(x, gradient);
    };
    EXPECT_THROW(minimize_in_box(thrower, start, low, high), std::runtime_error);
    EXPECT_EQ(calls, last) << "and the function is not called again";
  }
}

}  // namespace
}  // namespace tempera
