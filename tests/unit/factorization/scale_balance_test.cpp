#include "core/factorization/scale_balance.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/random_stream.hpp"

namespace tempera {
namespace {

double cost_at(const std::vector<ScaleCost>& modes, const std::vector<double>& scales) {
  double cost = 0;
  for (std::size_t n = 0; n < modes.size(); ++n) cost += modes[n].at(scales[n]);
  return cost;
}

double product(const std::vector<double>& scales) {
  double all = 1;
  for (const double c : scales) all *= c;
  return all;
}

TEST(BalancedScales, RidgeMakesTheWeightedNormsEqual) {
  const std::vector<ScaleCost> modes{{0, 4}, {0, 0.25}, {0, 27}};
  const auto scales = balanced_scales(modes);
  // The cost Σ q c² with Π c = 1 is least where all q c² are (Π q)^(1/3) = 3.
  for (std::size_t n = 0; n < 3; ++n) EXPECT_NEAR(modes[n].at(scales[n]), 3, 1e-13);
}

TEST(BalancedScales, LassoAgainstRidgeIsTheRootOfItsCubic) {
  // 8 c + 1/c²: 8 = 2/c³.
  const auto scales = balanced_scales(std::vector<ScaleCost>{{8, 0}, {0, 1}});
  EXPECT_NEAR(scales[0], std::cbrt(0.25), 1e-14);
  EXPECT_NEAR(scales[0] * scales[1], 1, 1e-15);
}

TEST(BalancedScales, AModeThatCostsNothingGrowsToItsBound) {
  const auto scales = balanced_scales(std::vector<ScaleCost>{{0, 0, 0, 2.5}, {1, 1}, {0, 0, 0, 1}});
  EXPECT_NEAR(scales[0], 2.5, 1e-15);
  EXPECT_NEAR(scales[1], 0.4, 1e-15);
  EXPECT_EQ(scales[2], 1);
}

TEST(BalancedScales, StayAsTheyAreWhereNothingCanBeGained) {
  const std::vector<double> ones(2, 1.0);
  EXPECT_EQ(balanced_scales(std::vector<ScaleCost>{{0, 0}, {1, 0}}), ones) << "no least cost";
  EXPECT_EQ(balanced_scales(std::vector<ScaleCost>{{0, 0, 0, 3}, {0, 0, 0, 4}}), ones) << "no cost";
  EXPECT_EQ(balanced_scales(std::vector<ScaleCost>{{3, 1, 1, 1}, {2, 0}}), ones) << "no freedom";
}

// Against a search over all splits: no pair of modes can pass scale to each other and gain.
TEST(BalancedScales, NoExchangeBetweenTwoModesLowersTheCost) {
  RandomStream stream(5, "scale-balance-test", {});
  for (int trial = 0; trial < 400; ++trial) {
    std::vector<ScaleCost> modes(2 + static_cast<std::size_t>(3 * stream.uniform()));
    for (ScaleCost& mode : modes) {
      const auto magnitude = [&] { return std::pow(10.0, 12 * stream.uniform() - 6); };
      if (stream.uniform() < 0.6) mode.linear = magnitude();
      if (stream.uniform() < 0.6) mode.quadratic = magnitude();
      if (stream.uniform() < 0.3 || mode.at(1) == 0) mode.most = 1 + 3 * stream.uniform();
      if (stream.uniform() < 0.3) mode.least = stream.uniform();
    }
    const auto scales = balanced_scales(modes);
    ASSERT_NEAR(product(scales), 1, 1e-12) << "trial " << trial;
    const double cost = cost_at(modes, scales);
    ASSERT_LE(cost, cost_at(modes, std::vector<double>(modes.size(), 1.0))) << "trial " << trial;
    for (std::size_t n = 0; n < modes.size(); ++n) {
      ASSERT_GE(scales[n], modes[n].least);
      ASSERT_LE(scales[n], modes[n].most);
      for (std::size_t k = 0; k < modes.size(); ++k)
        for (const double step : {1.5, 1.05, 1.0001}) {
          if (k == n) continue;
          auto other = scales;
          other[n] *= step;
          other[k] /= step;
          if (other[n] > modes[n].most || other[k] < modes[k].least) continue;
          ASSERT_GE(cost_at(modes, other), cost * (1 - 1e-12)) << "trial " << trial << ", modes " << n << ", " << k;
        }
    }
  }
}

TEST(ScaleCost, KnowsWhatEachConstraintLeaves) {
  const ColumnFigures column{3, 4, 5};
  const ScaleCost penalised = scale_cost({.l1 = 2, .ridge = 3, .smooth = 5}, column);
  EXPECT_EQ(penalised.linear, 6);
  EXPECT_EQ(penalised.quadratic, 37);
  EXPECT_EQ(scale_cost({.simplex = Constraint::Simplex::rows}, column).most, 1);
  EXPECT_EQ(scale_cost({.orthogonal = true}, column).least, 1);
  EXPECT_EQ(scale_cost({.norm_bounded = true}, {0, 0.25}).most, 2);
  const Constraint box{.lower = 0.5, .upper = 4};
  ColumnFigures within{};
  for (const double u : {1.0, 2.0}) note_bounds(box, u, within);
  const ScaleCost boxed = scale_cost(box, within);
  EXPECT_EQ(boxed.least, 0.5);
  EXPECT_EQ(boxed.most, 2);
  const Constraint below{.lower = -8, .upper = -1};
  ColumnFigures negative{};
  for (const double u : {-2.0, -4.0}) note_bounds(below, u, negative);
  EXPECT_EQ(scale_cost(below, negative).least, 0.5);
  EXPECT_EQ(scale_cost(below, negative).most, 2);
}

}  // namespace
}  // namespace tempera
