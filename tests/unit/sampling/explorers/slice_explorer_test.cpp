#include "core/sampling/explorers/slice_explorer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace tempera {
namespace {

using Density = std::function<double(std::span<const double>)>;

/// Reference given by a function of the test, no likelihood.
class FunctionTarget final : public Target {
 public:
  FunctionTarget(Index dimension, Density density)
      : Target({{"x", {dimension}, Transform::identity()}}), density_(std::move(density)) {}
  using Target::evaluate;
  LogDensity evaluate(std::span<const double> u, std::span<double>, std::span<double>) override {
    return {density_(u), 0};
  }
  std::unique_ptr<Target> clone() const override { return std::make_unique<FunctionTarget>(*this); }

 private:
  Density density_;
};

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

/// Largest distance between the distribution of the values and a distribution function, times √n: above 1.95 with
/// probability 0.001 if the values come from it.
double kolmogorov(std::vector<double> values, const std::function<double(double)>& cdf) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double largest = 0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    const double p = cdf(values[k]), i = static_cast<double>(k);
    largest = std::max({largest, std::abs(p - i / n), std::abs(p - (i + 1) / n)});
  }
  return largest * std::sqrt(n);
}

constexpr double kLimit = 1.95;
constexpr int kDraws = 20'000;

/// One step from exact draws: afterwards they still have to be exact ones.
std::vector<std::vector<double>> after_one_step(Explorer& explorer, Target& target, std::span<const double> scales,
                                                const std::function<void(RandomStream&, std::span<double>)>& exact) {
  const auto dimension = static_cast<std::size_t>(target.dimension());
  std::vector<std::vector<double>> columns(dimension);
  for (int k = 0; k < kDraws; ++k) {
    RandomStream stream(5, "slice-test", {k});
    SamplePoint point{std::vector<double>(dimension), {}};
    exact(stream, point.u);
    PathDensity density(target, 1);
    density.at(point.u, point.density);
    explorer.step(density, {{}, {scales.begin(), scales.end()}, {}, {}}, point, stream);
    EXPECT_EQ(target.evaluate(point.u).reference, point.density.reference);
    for (std::size_t i = 0; i < dimension; ++i) columns[i].push_back(point.u[i]);
  }
  return columns;
}

TEST(SliceExplorer, LeavesAMixtureInvariantWhateverTheScale) {
  const auto exact = [](RandomStream& stream, std::span<double> u) {
    u[0] = stream.uniform() < 0.3 ? -4 + stream.normal() : 3 + 0.2 * stream.normal();
  };
  const auto cdf = [](double x) { return 0.3 * normal_cdf(x + 4) + 0.7 * normal_cdf((x - 3) / 0.2); };
  FunctionTarget target(1, [](std::span<const double> u) {
    const double a = u[0] + 4, b = (u[0] - 3) / 0.2;
    return std::log(0.3 * std::exp(-0.5 * a * a) + 0.7 / 0.2 * std::exp(-0.5 * b * b));
  });
  for (const auto lines : {SliceExplorer::Lines::coordinates, SliceExplorer::Lines::random_directions})
    for (const double scale : {0.02, 1.0, 50.0}) {
      SliceExplorer explorer(lines);
      const double scales[] = {scale};
      EXPECT_LT(kolmogorov(after_one_step(explorer, target, scales, exact)[0], cdf), kLimit) << scale;
    }
}

TEST(SliceExplorer, LeavesACorrelatedNormalInvariant) {
  const double rho = 0.9, rest = std::sqrt(1 - rho * rho);
  const auto exact = [&](RandomStream& stream, std::span<double> u) {
    u[0] = stream.normal();
    u[1] = rho * u[0] + rest * stream.normal();
  };
  FunctionTarget target(2, [&](std::span<const double> u) {
    const double b = (u[1] - rho * u[0]) / rest;
    return -0.5 * (u[0] * u[0] + b * b);
  });
  const double scales[] = {0.3, 2.0};
  for (const auto lines : {SliceExplorer::Lines::coordinates, SliceExplorer::Lines::random_directions}) {
    SliceExplorer explorer(lines, 2);
    const auto columns = after_one_step(explorer, target, scales, exact);
    std::vector<double> sum(columns[0].size()), difference(sum.size());
    for (std::size_t k = 0; k < sum.size(); ++k) {
      sum[k] = (columns[0][k] + columns[1][k]) / std::sqrt(2 * (1 + rho));
      difference[k] = (columns[0][k] - columns[1][k]) / std::sqrt(2 * (1 - rho));
    }
    for (const auto& values : {columns[0], columns[1], sum, difference})
      EXPECT_LT(kolmogorov(values, normal_cdf), kLimit);
  }
}

TEST(SliceExplorer, StaysInsideTheSupport) {
  // Uniform on two separate intervals.
  const auto inside = [](double x) { return (x > 0 && x < 1) || (x > 2 && x < 4); };
  FunctionTarget target(
      1, [&](std::span<const double> u) { return inside(u[0]) ? 0 : -std::numeric_limits<double>::infinity(); });
  const auto exact = [](RandomStream& stream, std::span<double> u) {
    const double v = 3 * stream.uniform_open();
    u[0] = v < 1 ? v : v + 1;
  };
  const auto cdf = [](double x) { return x < 1 ? x / 3 : (std::max(x, 2.0) - 1) / 3; };
  for (const double scale : {0.05, 3.0}) {
    SliceExplorer explorer;
    const double scales[] = {scale};
    const auto values = after_one_step(explorer, target, scales, exact)[0];
    EXPECT_TRUE(std::all_of(values.begin(), values.end(), inside));
    EXPECT_LT(kolmogorov(values, cdf), kLimit);
  }
}

TEST(SliceExplorer, EndsWhereNoOtherPointIsInTheSlice) {
  FunctionTarget target(
      1, [](std::span<const double> u) { return u[0] == 1.5 ? 0 : -std::numeric_limits<double>::infinity(); });
  SliceExplorer explorer;
  SamplePoint point{{1.5}, {0, 0}};
  PathDensity density(target, 1);
  RandomStream stream(1, "slice-end", {});
  const double scales[] = {1.0};
  explorer.step(density, {{}, {std::begin(scales), std::end(scales)}, {}, {}}, point, stream);
  EXPECT_EQ(point.u[0], 1.5);
  EXPECT_EQ(point.density.reference, 0);
  EXPECT_LT(density.evaluations(), 200);
}

TEST(PathDensity, TakesNothingTimesNoLikelihoodForNothing) {
  const double none = -std::numeric_limits<double>::infinity();
  FunctionTarget target(1, [](std::span<const double> u) { return u[0] > 0 ? std::nan("") : -1.0; });
  EXPECT_EQ(PathDensity(target, 0).combined({-2, none}), -2);
  EXPECT_EQ(PathDensity(target, 0.5).combined({-2, none}), none);
  PathDensity density(target, 1);
  LogDensity parts;
  const double bad[] = {1.0}, good[] = {-1.0};
  EXPECT_EQ(density.at(bad, parts), none);
  EXPECT_EQ(density.at(good, parts), -1);
  EXPECT_EQ(density.evaluations(), 2);
  EXPECT_EQ(density.invalid(), 1);
}

}  // namespace
}  // namespace tempera
