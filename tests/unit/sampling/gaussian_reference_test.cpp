#include "core/sampling/gaussian_reference.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/sampling/targets/targets.hpp"

namespace tempera {
namespace {

ChainTuning tuning(bool correlated) {
  ChainTuning tuning;
  tuning.means = {1, -2};
  tuning.scales = {0.5, 3};
  if (correlated) tuning.covariance_factor = {0.5, 0, 2.4, 1.8};
  return tuning;
}

TEST(GaussianApproximation, HasTheDensityAndGradientOfTheFormula) {
  for (const bool correlated : {false, true}) {
    const GaussianApproximation q(tuning(correlated));
    const double u[] = {1.3, 0.7};
    double scratch[2], gradient[2];
    // (a, b) in units of the deviations; correlation 0.8 or none
    const double a = 0.3 / 0.5, b = 2.7 / 3, rho = correlated ? 0.8 : 0, rest = 1 - rho * rho;
    const double expected = -std::log(2 * std::numbers::pi) - std::log(0.5 * 3) - 0.5 * std::log(rest) -
                            0.5 * (a * a - 2 * rho * a * b + b * b) / rest;
    EXPECT_NEAR(q.log_density(u, {}, scratch), expected, 1e-13);
    EXPECT_NEAR(q.log_density(u, gradient, scratch), expected, 1e-13);
    EXPECT_NEAR(gradient[0], -(a - rho * b) / rest / 0.5, 1e-12);
    EXPECT_NEAR(gradient[1], -(b - rho * a) / rest / 3, 1e-12);
  }
}

TEST(GaussianApproximation, DrawsHaveItsMoments) {
  constexpr int kDraws = 100'000;
  const GaussianApproximation q(tuning(true));
  double sums[5] = {};
  for (int k = 0; k < kDraws; ++k) {
    RandomStream stream(4, "reference-test", {k});
    double u[2];
    q.draw(stream, u);
    const double a = (u[0] - 1) / 0.5, b = (u[1] + 2) / 3;
    for (int m = 0; const double value : {a, b, a * a, b * b, a * b}) sums[m++] += value / kDraws;
  }
  const double expected[] = {0, 0, 1, 1, 0.8};
  for (int m = 0; m < 5; ++m) EXPECT_NEAR(sums[m], expected[m], 5 * 1.5 / std::sqrt(kDraws)) << m;
}

TEST(GaussianReferenceTarget, KeepsTheProductAndReplacesTheReference) {
  const auto inner = make_target("eight-schools");
  GaussianReferenceTarget target(*inner);
  const auto d = static_cast<std::size_t>(inner->dimension());
  ChainTuning fitted;
  fitted.means.assign(d, 0.3);
  fitted.scales.assign(d, 2.0);
  target.set_reference(std::make_shared<const GaussianApproximation>(fitted));
  const auto clone = target.clone();
  std::vector<double> u(d), scratch(d), r(d), l(d), r_inner(d), l_inner(d);
  for (std::size_t i = 0; i < d; ++i) u[i] = 0.1 * static_cast<double>(i) - 0.4;
  const LogDensity before = inner->evaluate(u, r_inner, l_inner), after = clone->evaluate(u, r, l);
  EXPECT_NEAR(after.reference + after.likelihood, before.reference + before.likelihood, 1e-11);
  EXPECT_NEAR(after.reference, GaussianApproximation(fitted).log_density(u, {}, scratch), 1e-12);
  EXPECT_EQ(clone->evaluate(u).likelihood, after.likelihood);
  for (std::size_t i = 0; i < d; ++i) {
    EXPECT_NEAR(r[i] + l[i], r_inner[i] + l_inner[i], 1e-11);
    EXPECT_NEAR(r[i], -(u[i] - 0.3) / 4, 1e-13);
  }
  EXPECT_TRUE(target.normalised_reference() && target.samples_reference());
  EXPECT_FALSE(target.improper_parameter());
}

}  // namespace
}  // namespace tempera
