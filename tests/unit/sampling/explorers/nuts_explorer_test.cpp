#include "core/sampling/explorers/nuts_explorer.hpp"

#include <array>

#include "tests/unit/sampling/explorers/explorer_fixture.hpp"

namespace tempera {
namespace {

using namespace test;

FunctionTarget standard_normal(Index dimension) {
  return FunctionTarget(dimension, [](In u, Out gradient) {
    double sum = 0;
    for (std::size_t i = 0; i < u.size(); ++i) {
      sum -= 0.5 * u[i] * u[i];
      if (!gradient.empty()) gradient[i] = -u[i];
    }
    return sum;
  });
}

/// What rstan 2.21.7 does on a standard normal with the unit metric and this step size, in 100 000 transitions: mean numbers of
/// leapfrog steps, accept_stat__ and fractions of treedepth__ 0 to 4; autocorrelation of x[1] and of the squared radius.
struct StanFigures {
  Index dimension;
  double step, leapfrogs, acceptance;
  std::array<double, 5> depths;
  double of_coordinate, of_radius;
};

constexpr std::array kStan{
    StanFigures{1, 0.5, 4.4572, 0.98258, {0, 0.3180, 0.5221, 0.1599, 0}, 0.5848, 0.5968},
    StanFigures{2, 0.9, 3.4527, 0.90993, {0, 0.2120, 0.7666, 0.0215, 0}, -0.0054, 0.3742},
    StanFigures{10, 0.3, 14.1870, 0.98115, {0, 0, 0.0001, 0.1763, 0.8236}, -0.2847, 0.4062},
    StanFigures{10, 0.9, 4.5306, 0.79491, {0, 0.0003, 0.8340, 0.1657, 0}, -0.1478, 0.3586},
    StanFigures{10, 1.5, 2.8453, 0.37826, {0, 0.1166, 0.8834, 0, 0}, -0.2902, 0.7905},
    StanFigures{100, 0.4, 14.1160, 0.88991, {0, 0, 0, 0.1249, 0.8751}, -0.3277, 0.4406},
};

double autocorrelation(const std::vector<double>& values) {
  double mean = 0, variance = 0, covariance = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (std::size_t k = 0; k < values.size(); ++k) {
    variance += (values[k] - mean) * (values[k] - mean);
    if (k > 0) covariance += (values[k] - mean) * (values[k - 1] - mean);
  }
  return covariance / variance;
}

TEST(NutsExplorer, BuildsTheTreesThatStanBuilds) {
  constexpr int kSteps = 20'000, kWarmUp = 50;
  for (const StanFigures& stan : kStan) {
    const auto n = static_cast<std::size_t>(stan.dimension);
    FunctionTarget target = standard_normal(stan.dimension);
    NutsExplorer explorer;
    const ChainTuning tuning{{}, std::vector<double>(n, 1.0), {}, {stan.step}};
    PathDensity density(target, 1);
    SamplePoint point{std::vector<double>(n, 0.5), {}};
    density.at(point.u, point.density);
    RandomStream stream(2, "nuts-test", {stan.dimension});
    std::array<double, 5> depths{};
    double leapfrogs = 0, acceptance = 0;
    std::vector<double> coordinate, radius;
    for (int k = -kWarmUp; k < kSteps; ++k) {
      const StepRecord record = explorer.step(density, tuning, point, stream);
      if (k < 0) continue;
      leapfrogs += static_cast<double>(record.proposals) / kSteps;
      acceptance += record.acceptance / kSteps;
      depths.at(static_cast<std::size_t>(record.depth)) += 1.0 / kSteps;
      coordinate.push_back(point.u[0]);
      double square = 0;
      for (const double x : point.u) square += x * x;
      radius.push_back(square);
      EXPECT_FALSE(record.divergent || record.saturated);
    }
    // Five standard errors of 20 000 independent steps or more, next to which Stan's error is small.
    EXPECT_NEAR(leapfrogs, stan.leapfrogs, 0.08) << stan.dimension << " " << stan.step;
    EXPECT_NEAR(acceptance, stan.acceptance, 0.008) << stan.dimension << " " << stan.step;
    for (std::size_t d = 0; d < depths.size(); ++d)
      EXPECT_NEAR(depths[d], stan.depths[d], 0.02) << stan.dimension << " " << stan.step << " depth " << d;
    EXPECT_NEAR(autocorrelation(coordinate), stan.of_coordinate, 0.05) << stan.dimension << " " << stan.step;
    EXPECT_NEAR(autocorrelation(radius), stan.of_radius, 0.05) << stan.dimension << " " << stan.step;
  }
}

TEST(NutsExplorer, SaysWhereItDivergesAndWhereItStopsGrowing) {
  FunctionTarget target = standard_normal(2);
  PathDensity density(target, 1);
  RandomStream stream(2, "nuts-test", {});
  const auto step_of = [&](double step, int max_depth) {
    NutsOptions options;
    options.max_depth = max_depth;
    SamplePoint point{{0.5, -0.5}, {}};
    density.at(point.u, point.density);
    const StepRecord record = NutsExplorer(options).step(density, {{}, {1, 1}, {}, {step}}, point, stream);
    EXPECT_EQ(record.divergent, point.u == (std::vector<double>{0.5, -0.5}));
    return record;
  };
  const StepRecord small = step_of(1e-4, 5), large = step_of(1e3, 10), good = step_of(0.5, 10);
  EXPECT_TRUE(small.saturated);
  EXPECT_EQ(small.depth, 5);
  EXPECT_EQ(small.proposals, 31);
  EXPECT_FALSE(small.divergent);
  EXPECT_TRUE(large.divergent);
  EXPECT_FALSE(large.saturated);
  EXPECT_EQ(large.depth, 0);
  EXPECT_EQ(large.proposals, 1);
  EXPECT_FALSE(good.saturated || good.divergent);
  EXPECT_GE(good.energy, 0.25) << "that of the position, and some";
}

TEST(NutsExplorer, AWhitenedTargetIsTheSameInEveryMetric) {
  // With the metric of the target, a normal of any covariance gives the path of the standard one.
  const std::vector<double> factor{0.5, 0, 0.3, 2};  // row-major, lower
  FunctionTarget plain = standard_normal(2);
  FunctionTarget skewed(2, [&](In u, Out gradient) {
    const double z0 = u[0] / factor[0], z1 = (u[1] - factor[2] * z0) / factor[3];
    if (!gradient.empty()) {
      gradient[1] = -z1 / factor[3];
      gradient[0] = (-z0 - gradient[1] * factor[2]) / factor[0];
    }
    return -0.5 * (z0 * z0 + z1 * z1);
  });
  NutsOptions options;
  options.dense = true;
  NutsExplorer explorer(options);
  PathDensity one(plain, 1), other(skewed, 1);
  SamplePoint z{{0.3, -1}, {}}, u{{0.3 * factor[0], 0.3 * factor[2] - factor[3]}, {}};
  one.at(z.u, z.density);
  other.at(u.u, u.density);
  for (Index k = 0; k < 50; ++k) {
    RandomStream first(3, "nuts-test", {k}), second(3, "nuts-test", {k});
    explorer.step(one, {{}, {1, 1}, {}, {0.7}}, z, first);
    explorer.step(other, {{}, {1, 1}, factor, {0.7}}, u, second);
    ASSERT_NEAR(u.u[0], factor[0] * z.u[0], 1e-9) << k;
    ASSERT_NEAR(u.u[1], factor[2] * z.u[0] + factor[3] * z.u[1], 1e-9) << k;
  }
}

}  // namespace
}  // namespace tempera
