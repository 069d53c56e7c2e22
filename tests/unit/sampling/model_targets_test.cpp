#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.hpp"
#include "core/sampling/targets/change_point.hpp"
#include "core/sampling/targets/gaussian_mixture.hpp"
#include "core/sampling/targets/generalised_regression.hpp"
#include "tests/unit/sampling/differences.hpp"

namespace tempera {
namespace {

using test::Vector;

double normal_density(double x, double mean, double sd) {
  return std::exp(-0.5 * std::pow((x - mean) / sd, 2)) / (sd * std::sqrt(2 * std::numbers::pi));
}

TEST(ChangePoint, EvidenceIsItsQuadrature) {
  ChangePointModel model;
  TransformedTarget target(model.clone());
  const double scale = model.log_evidence();
  const double total = test::integral(
      [&](double early) {
        return test::integral(
            [&](double late) {
              const LogDensity density = target.evaluate(Vector{early, late});
              return std::exp(density.reference + density.likelihood - scale);
            },
            -12, 4, 1600);
      },
      -12, 4, 1600);
  EXPECT_NEAR(total, 1, 1e-8);
}

TEST(ChangePoint, EqualRatesMakeTheYearIrrelevant) {
  // 191 disasters in 112 years: a Poisson process of one rate, up to the factorials, which both points share.
  ChangePointModel model;
  const double difference = model.log_likelihood(Vector{2, 2}, {}) - model.log_likelihood(Vector{1, 1}, {});
  EXPECT_NEAR(difference, 191 * std::log(2.0) - 112, 1e-10);
}

/// Density of unordered clustering, straight from its formula.
double clustering(const Vector& y, const Vector& theta, std::size_t components) {
  double sum = 0;
  for (const double value : y) {
    double density = 0;
    for (std::size_t k = 0; k < components; ++k)
      density += theta[2 * components + k] * normal_density(value, theta[k], theta[components + k]);
    sum += std::log(density);
  }
  return sum;
}

TEST(GaussianMixture, LikelihoodIsItsFormula) {
  const Vector y{-2, -1.5, 0.1, 3, 2.5};
  GaussianMixtureModel model(y, 3, false);
  const Vector theta{-2, 0.5, 3, 0.7, 1.2, 0.4, 0.2, 0.5, 0.3};
  EXPECT_NEAR(model.log_likelihood(theta, {}), clustering(y, theta, 3), 1e-12);
  double prior = std::log(2.0);  // (3 − 1)! of the simplex
  for (std::size_t k = 0; k < 3; ++k)
    prior += std::log(normal_density(theta[k], 0, 5)) + std::log(2 * normal_density(theta[3 + k], 0, 2));
  EXPECT_NEAR(model.log_prior(theta, {}), prior, 1e-12);
  // Sorted means carry the mass of all 3! orders.
  EXPECT_NEAR(GaussianMixtureModel(y, 3, true).log_prior(theta, {}), prior + std::log(6.0), 1e-12);
}

TEST(GaussianMixture, RelabellingLeavesTheDensity) {
  GaussianMixtureModel model(GaussianMixtureOptions{});
  const Vector one{-1, 2, 0.8, 1.3, 0.3, 0.7}, other{2, -1, 1.3, 0.8, 0.7, 0.3};
  EXPECT_NEAR(model.log_likelihood(one, {}), model.log_likelihood(other, {}), 1e-9);
  EXPECT_NEAR(model.log_prior(one, {}), model.log_prior(other, {}), 1e-12);
}

TEST(GaussianMixture, IsMinusInfinityWhereEveryComponentVanishes) {
  GaussianMixtureModel model({1e200}, 1, false);
  EXPECT_EQ(model.log_likelihood(Vector{0, 1e-200, 1}, {}), -INFINITY);
}

double response_density(ResponseFamily family, double y, double linear, double sigma) {
  if (family == ResponseFamily::gaussian) return normal_density(y, linear, sigma);
  if (family == ResponseFamily::bernoulli) return y == 1 ? 1 / (1 + std::exp(-linear)) : 1 / (1 + std::exp(linear));
  return std::exp(y * linear - std::exp(linear)) / std::tgamma(y + 1);
}

TEST(GeneralisedRegression, LikelihoodIsItsFormulaUnderBothPriors) {
  const Vector beta{0.4, -0.7, 0.2};
  for (const ResponseFamily family : {ResponseFamily::gaussian, ResponseFamily::bernoulli, ResponseFamily::poisson}) {
    const RegressionData data = simulated_regression(family, 20, 3, 8);
    double expected = 0;
    for (Index i = 0; i < 20; ++i) {
      double linear = 0;
      for (std::size_t j = 0; j < 3; ++j) linear += data.row(i)[j] * beta[j];
      expected += std::log(response_density(family, data.y[static_cast<std::size_t>(i)], linear, 1.4));
    }
    Vector plain = beta;
    Vector horseshoe{0.4, -0.7 / (2 * 0.5), 0.2 / (3 * 0.5), 2, 3, 0.5};  // z = beta/(lambda tau)
    if (family == ResponseFamily::gaussian) plain.push_back(1.4), horseshoe.push_back(1.4);
    GeneralisedRegressionModel normal_prior(data, family, CoefficientPrior::normal, 2.5);
    GeneralisedRegressionModel horseshoe_prior(data, family, CoefficientPrior::horseshoe, 2.5);
    EXPECT_NEAR(normal_prior.log_likelihood(plain, {}), expected, 1e-10);
    EXPECT_NEAR(horseshoe_prior.log_likelihood(horseshoe, {}), expected, 1e-10);
  }
}

TEST(GeneralisedRegression, PriorIsItsFormula) {
  const auto half_cauchy = [](double x, double scale) {
    return 2 / (std::numbers::pi * scale * (1 + (x / scale) * (x / scale)));
  };
  const RegressionData data = simulated_regression(ResponseFamily::gaussian, 5, 3, 8);
  GeneralisedRegressionModel model(data, ResponseFamily::gaussian, CoefficientPrior::horseshoe, 2.5);
  const double expected =
      std::log(normal_density(0.4, 0, 2.5) * normal_density(-0.7, 0, 1) * normal_density(1.1, 0, 1) *
               half_cauchy(2, 1) * half_cauchy(3, 1) * half_cauchy(0.5, 1) * half_cauchy(1.4, 2.5));
  EXPECT_NEAR(model.log_prior(Vector{0.4, -0.7, 1.1, 2, 3, 0.5, 1.4}, {}), expected, 1e-12);
}

TEST(GeneralisedRegression, RefusesTablesThatCannotBe) {
  const auto message = [](RegressionData data, ResponseFamily family, CoefficientPrior prior) {
    try {
      GeneralisedRegressionModel(std::move(data), family, prior, 1);
    } catch (const Error& error) {
      return error.what_is_wrong();
    }
    return std::string("accepted");
  };
  const auto normal = CoefficientPrior::normal;
  EXPECT_EQ(message({2, {1, 2, 1}, {0, 1}}, ResponseFamily::bernoulli, normal),
            "2 responses and 2 predictors need 4 entries of x, not 3");
  EXPECT_EQ(message({1, {1, 1}, {0, 2}}, ResponseFamily::bernoulli, normal),
            "response 2 of row 1 cannot be: 0 or 1 expected");
  EXPECT_EQ(message({1, {1, 1}, {0.5, 2}}, ResponseFamily::poisson, normal),
            "response 0.5 of row 0 cannot be: a count expected");
  EXPECT_EQ(message({2, {1, 2, 1, INFINITY}, {0, 1}}, ResponseFamily::poisson, normal), "predictor 1 of row 1 is inf");
  EXPECT_EQ(message({1, {1}, {NAN}}, ResponseFamily::gaussian, normal),
            "response nan of row 0 cannot be: a number expected");
  EXPECT_EQ(message({1, {1}, {0}}, ResponseFamily::bernoulli, CoefficientPrior::horseshoe),
            "a horseshoe prior needs a predictor besides the intercept");
}

}  // namespace
}  // namespace tempera
