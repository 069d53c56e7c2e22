#include "core/bayesopt/acquisition_functions.hpp"

#include <gtest/gtest.h>

#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

#include "core/base/random_stream.hpp"

namespace tempera {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// log ∫ (limit − f)^power N(f; mean, sd²) over f < limit, with the greatest integrand taken out.
double log_integral(double mean, double sd, double limit, int power) {
  const double z = (limit - mean) / sd;
  // f = limit − sd·u: φ(z − u) = φ(z) exp(zu − u²/2)
  const double scale = z < 0 ? 1 / (1 - z) : 1;  // where the integrand decays
  const auto integrand = [&](double v) {
    const double u = scale * v;
    return scale * std::pow(sd * u, power) * std::exp(z > 0 ? -0.5 * (u - z) * (u - z) : z * u - 0.5 * u * u);
  };
  const double end = z > 0 ? z + 40 : 60;
  double sum = 0;
  for (int k = 0; k < 40; ++k)
    sum += boost::math::quadrature::gauss_kronrod<double, 61>::integrate(integrand, end * k / 40, end * (k + 1) / 40, 5,
                                                                         1e-14);
  return std::log(sum) - 0.5 * std::log(2 * std::numbers::pi) - (z > 0 ? 0 : 0.5 * z * z);
}

void expect_relative(double value, double expected, double tolerance, double z) {
  EXPECT_NEAR(value, expected, tolerance * std::max(1e-3, std::abs(expected))) << "z = " << z;
}

TEST(LogExpectedImprovement, MatchesThePublishedValues) {
  EXPECT_NEAR(expected_improvement(0, 1, 0).value, 0.3989422804, 1e-10);
  EXPECT_NEAR(expected_improvement(1, 1, 0).value, 0.0833154706, 1e-10);
  EXPECT_NEAR(log_expected_improvement(5, 1, 0).value, -16.7443011627, 1e-10);
  EXPECT_NEAR(log_expected_improvement(40, 1, 0).value, -808.2985684, 1e-7);
}

TEST(LogExpectedImprovement, MatchesQuadratureInEveryBranch) {
  for (const double z : {-500.0,  -100.0, -40.0,   -12.0, -9.0001, -8.9999, -9.0, -7.0, -5.0, -2.0,
                         -1.0001, -1.0,   -0.9999, -0.5,  0.0,     0.5,     1.0,  3.0,  10.0, 60.0})
    for (const double sd : {1e-3, 1.0, 50.0}) {
      const double best = 2.5, mean = best - z * sd;
      const double expected = log_integral(mean, sd, best, 1);
      expect_relative(log_expected_improvement(mean, sd, best).value, expected, 1e-9, z);
      if (expected > -700) expect_relative(expected_improvement(mean, sd, best).value, std::exp(expected), 1e-9, z);
      expect_relative(log_probability_below(mean, sd, best).value, log_integral(mean, sd, best, 0), 1e-9, z);
    }
}

TEST(LogExpectedImprovement, VeryFarItIsTheLeadingTerm) {
  for (const double z : {-1e4, -1e6, -1.1e6, -1e8, -1e100}) {
    const double leading = -0.5 * z * z - 0.5 * std::log(2 * std::numbers::pi) - 2 * std::log(-z);
    const MomentValue value = log_expected_improvement(-z, 1, 0);
    expect_relative(value.value, leading, 1e-9, z);
    expect_relative(value.by_mean, z - 2 / z, 1e-7, z);
    expect_relative(value.by_sd, z * z, 1e-7, z);
  }
}

TEST(LogExpectedImprovement, IsSmoothWhereTheFormulaChanges) {
  for (const double z : {-1.0, -9.0}) {
    const MomentValue below = log_expected_improvement(std::nextafter(-z, 100), 1, 0),
                      above = log_expected_improvement(std::nextafter(-z, 0), 1, 0);
    EXPECT_NEAR(below.value, above.value, 1e-11);
    EXPECT_NEAR(below.by_mean, above.by_mean, 1e-10);
    EXPECT_NEAR(below.by_sd, above.by_sd, 1e-10 * above.by_sd);
  }
}

TEST(AcquisitionFunctions, GradientsMatchDifferences) {
  const std::vector<std::function<MomentValue(double, double)>> functions{
      [](double m, double s) { return expected_improvement(m, s, 0.3); },
      [](double m, double s) { return log_expected_improvement(m, s, 0.3); },
      [](double m, double s) { return log_probability_below(m, s, 0.3); },
      [](double m, double s) { return confidence_bound(m, s, 1.7); }};
  for (std::size_t k = 0; k < functions.size(); ++k)
    for (const double mean : {-3.0, 0.0, 0.3, 1.0, 4.0, 9.0})
      for (const double sd : {0.2, 1.0, 3.0}) {
        const MomentValue value = functions[k](mean, sd);
        const double h = 1e-5 * sd;
        const double by_mean = (functions[k](mean + h, sd).value - functions[k](mean - h, sd).value) / (2 * h);
        const double by_sd = (functions[k](mean, sd + h).value - functions[k](mean, sd - h).value) / (2 * h);
        const double size = std::abs(value.value) / sd;  // what differences can resolve
        EXPECT_NEAR(value.by_mean, by_mean, 3e-6 * (std::abs(by_mean) + size)) << k << " at " << mean << ", " << sd;
        EXPECT_NEAR(value.by_sd, by_sd, 3e-6 * (std::abs(by_sd) + size)) << k << " at " << mean << ", " << sd;
      }
}

TEST(AcquisitionFunctions, MatchMonteCarlo) {
  // False-alarm rate of 4 standard errors: 6e-5 for each of four comparisons, of one fixed seed.
  constexpr Index kDraws = 1'000'000;
  RandomStream stream(17, "test-acquisition");
  for (const auto [mean, sd, best] : {std::array{0.4, 1.3, 0.1}, std::array{2.0, 0.7, 0.5}}) {
    double ei = 0, ei2 = 0, below = 0;
    for (Index i = 0; i < kDraws; ++i) {
      const double f = mean + sd * stream.normal();
      const double gain = std::max(best - f, 0.0);
      ei += gain / kDraws;
      ei2 += gain * gain / kDraws;
      below += (f <= best) / static_cast<double>(kDraws);
    }
    EXPECT_NEAR(expected_improvement(mean, sd, best).value, ei, 4 * std::sqrt((ei2 - ei * ei) / kDraws));
    EXPECT_NEAR(std::exp(log_expected_improvement(mean, sd, best).value), ei, 4 * std::sqrt((ei2 - ei * ei) / kDraws));
    EXPECT_NEAR(std::exp(log_probability_below(mean, sd, best).value), below,
                4 * std::sqrt(below * (1 - below) / kDraws));
  }
}

TEST(AcquisitionFunctions, LimitsOfSmallStandardDeviations) {
  for (const double sd : {1e-3, 1e-12, 1e-300}) {
    EXPECT_NEAR(expected_improvement(-0.25, sd, 0).value, 0.25, 1e-15);
    EXPECT_NEAR(log_expected_improvement(-0.25, sd, 0).value, std::log(0.25), 1e-15);
    EXPECT_NEAR(log_expected_improvement(-0.25, sd, 0).by_mean, -4, 1e-12);
    EXPECT_EQ(log_expected_improvement(-0.25, sd, 0).by_sd, 0);
    EXPECT_EQ(expected_improvement(0.25, sd, 0).value, 0);
    EXPECT_NEAR(log_expected_improvement(0, sd, 0).value, std::log(sd) + std::log(0.3989422804014327), 1e-12);
    EXPECT_EQ(log_probability_below(-0.25, sd, 0).value, 0);
    EXPECT_NEAR(log_probability_below(0, sd, 0).value, std::log(0.5), 1e-15);
  }
  for (const auto& value : {log_expected_improvement(0.25, 1e-300, 0), log_probability_below(0.25, 1e-300, 0)}) {
    EXPECT_EQ(value.value, -kInfinity) << "below the range of numbers";
    EXPECT_EQ(value.by_mean, 0);
    EXPECT_EQ(value.by_sd, 0);
  }
  for (double z = -45; z < 45; z += 0.01) {
    EXPECT_GE(expected_improvement(-z, 1, 0).value, 0);
    EXPECT_GE(expected_improvement(-z, 1, 0).value, z);
  }
}

TEST(LogMeanExp, EqualValuesAreKeptToTheBit) {
  for (const double value : {-1e300, -808.2985684, -1.0 / 3, 0.1, 700.3})
    for (std::size_t count = 1; count < 50; ++count) {
      std::vector<double> shares(count);
      EXPECT_EQ(log_mean_exp(std::vector<double>(count, value), shares), value);
      for (const double share : shares) EXPECT_EQ(share, 1 / static_cast<double>(count));
    }
}

TEST(LogMeanExp, MatchesItsDefinitionAndSurvivesExtremes) {
  std::vector<double> shares(3);
  const std::vector<double> values{0.3, -1, 2};
  EXPECT_NEAR(log_mean_exp(values, shares), std::log((std::exp(0.3) + std::exp(-1) + std::exp(2)) / 3), 1e-15);
  EXPECT_NEAR(shares[0] + shares[1] + shares[2], 1, 1e-15);
  EXPECT_NEAR(shares[1] / shares[2], std::exp(-3), 1e-15);
  EXPECT_NEAR(log_mean_exp(std::vector<double>{-1e5, -1e5 + 1, -kInfinity}), -1e5 + std::log((1 + std::exp(1)) / 3),
              1e-10);
  EXPECT_EQ(log_mean_exp(std::vector<double>{-kInfinity, -kInfinity}), -kInfinity);
}

}  // namespace
}  // namespace tempera
