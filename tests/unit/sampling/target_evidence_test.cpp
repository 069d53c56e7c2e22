#include <gtest/gtest.h>

#include <boost/math/special_functions/digamma.hpp>
#include <cmath>

#include "core/sampling/targets/binomial_product.hpp"
#include "core/sampling/targets/funnel.hpp"
#include "core/sampling/targets/gaussian.hpp"
#include "core/sampling/targets/linear_regression.hpp"
#include "core/sampling/targets/mixture.hpp"
#include "core/sampling/targets/rosenbrock.hpp"
#include "core/sampling/targets/targets.hpp"
#include "tests/support/data.hpp"
#include "tests/unit/sampling/differences.hpp"

#include <nlohmann/json.hpp>

namespace tempera {
namespace {

using test::integral;
using test::Vector;

double posterior(Target& target, const Vector& u) {
  const LogDensity density = target.evaluate(u);
  return std::exp(density.reference + density.likelihood);
}

TEST(TargetEvidence, OfGaussiansIsTheirQuadrature) {
  for (const double precision : {0.5, 1.0, 10.0, 400.0}) {
    GaussianTarget line({1, precision});
    EXPECT_NEAR(integral([&](double x) { return posterior(line, {x}); }, -30, 30, 20000), std::exp(line.log_evidence()),
                1e-12);
    GaussianTarget high({50, precision});
    EXPECT_NEAR(high.log_evidence(), -25 * std::log(precision), 1e-12 * (1 + std::abs(high.log_evidence())));
  }
}

TEST(TargetEvidence, OfMixturesIsTheirQuadratureWithAndWithoutWalls) {
  for (const double sd : {0.1, 0.5, 3.0}) {
    MixtureTarget line({1, 3, sd, 10, 5});
    EXPECT_NEAR(std::log(integral([&](double u) { return posterior(line, {u}); }, -40, 40, 80000)), line.log_evidence(),
                1e-9)
        << sd;
    MixtureTarget plane({2, 3, sd, 10, 5});
    const double total = integral(
        [&](double a) {
          return integral([&](double b) { return posterior(plane, {a, b}); }, -12, 12, 1500);
        },
        -12, 12, 1500);
    EXPECT_NEAR(std::log(total), plane.log_evidence(), sd < 1 ? 1e-7 : 1e-4) << sd;  // e^−12 of a uniform is cut off
  }
  EXPECT_NEAR(*exact_log_evidence("mixture"), -std::log(100.0), 1e-7);
}

TEST(TargetEvidence, OfTheMixtureCountsEachModeAlike) {
  MixtureTarget target({});
  double least = 1e9;
  for (Index k = 0; k < 20; ++k) {
    Vector theta{target.centre(k, 0), target.centre(k, 1)}, u(2);
    for (const double value : theta) EXPECT_TRUE(value > 0.6 && value < 9.4);
    target.unconstrain(theta, u);
    // Density of one mode of weight 1/20 at its centre; neighbours only add to it.
    EXPECT_GE(target.evaluate(u).likelihood, -std::log(20 * 2 * std::acos(-1.0) * 0.01) - 1e-9);
    least = std::min(least, target.evaluate(u).likelihood);
  }
  EXPECT_NEAR(least, -std::log(20 * 2 * std::acos(-1.0) * 0.01), 1e-6);  // one that stands alone
}

TEST(TargetEvidence, OfTheFunnelIsOne) {
  FunnelTarget target({2});
  // x = e^{v/2} z makes every slice the same Gaussian.
  const double total = integral(
      [&](double v) {
        const double width = std::exp(v / 2);
        return width * integral([&](double z) { return posterior(target, {v, width * z}); }, -10, 10, 400);
      },
      -30, 30, 600);
  EXPECT_NEAR(total, 1, 1e-10);
}

TEST(TargetEvidence, OfRosenbrocksIsOneAndTheirMomentsAreKnown) {
  RosenbrockTarget target({2, 1, 10});
  double mean = 0, squares = 0;
  const double total = integral(
      [&](double x) {
        const double slice = integral([&](double bend) { return posterior(target, {x, x * x + bend}); }, -3, 3, 300);
        mean += x * slice * 0.05;
        const double child = integral(
            [&](double bend) {
              return (x * x + bend) * posterior(target, {x, x * x + bend});
            },
            -3, 3, 300);
        squares += child * 0.05;
        return slice;
      },
      -30, 32, 1240);
  EXPECT_NEAR(total, 1, 1e-10);
  EXPECT_NEAR(mean, 1, 1e-9);
  EXPECT_NEAR(squares, 11, 1e-8);
}

TEST(TargetEvidence, OfRosenbrockWithTwoCoordinatesIsTheFormulaOfItsComment) {
  RosenbrockTarget target({2, 1, 10});
  const auto exponent = [](double x, double y) { return -(100 * (y - x * x) * (y - x * x) + (1 - x) * (1 - x)) / 20; };
  const auto log_density = [&](double x, double y) {
    const LogDensity density = target.evaluate(Vector{x, y});
    return density.reference + density.likelihood;
  };
  EXPECT_NEAR(log_density(2, 3) - log_density(-1, 0.5), exponent(2, 3) - exponent(-1, 0.5), 1e-12);
}

TEST(TargetEvidence, OfBinomialProductsIsTheirQuadrature) {
  struct Size {
    std::int64_t trials, successes;
  };
  for (const auto& [trials, successes] : {Size{10, 3}, Size{100, 50}, Size{100, 0}, Size{100, 100}}) {
    BinomialProductTarget target({trials, successes});
    const double total = integral(
        [&](double a) {
          return integral([&](double b) { return posterior(target, {a, b}); }, -45, 45, 1800);
        },
        -45, 45, 1800);
    EXPECT_NEAR(std::log(total), target.log_evidence(), 1e-9) << successes << " of " << trials;
  }
  BinomialProductTarget large({100000, 50000});
  EXPECT_NEAR(large.log_evidence(), std::log((boost::math::digamma(100002.0) - boost::math::digamma(50001.0)) / 100001),
              1e-10);
}

TEST(TargetEvidence, OfConjugateRegressionIsItsQuadrature) {
  for (const Index observations : {1, 5, 50}) {
    LinearRegressionOptions options;
    options.observations = observations;
    options.predictors = 1;
    options.seed = 7;
    const LinearRegressionModel model(options);
    TransformedTarget target(model.clone());
    // β = √variance · 10 z spans the prior and is smooth in both.
    const double total = integral(
        [&](double log_variance) {
          const double width = 10 * std::exp(log_variance / 2);
          return width * integral(
                             [&](double z) {
                               return posterior(target, {width * z, log_variance});
                             },
                             -10, 10, 8000);
        },
        -8, 30, 760);
    EXPECT_NEAR(std::log(total), model.log_evidence(), 1e-8) << observations;
  }
}

TEST(TargetEvidence, OfConjugateRegressionGrowsByPredictiveDensities) {
  // Z(n + 1)/Z(n) is a proper density of the next response: it integrates to one over it.
  RegressionData data = simulated_regression(ResponseFamily::gaussian, 6, 3, 2);
  RegressionData fewer = data;
  fewer.x.resize(5 * 3);
  fewer.y.resize(5);
  const double before = LinearRegressionModel(fewer).log_evidence();
  const double total = integral(
      [&](double scaled) {  // a Student t has long tails: y = sinh
        data.y.back() = std::sinh(scaled);
        return std::cosh(scaled) * std::exp(LinearRegressionModel(data).log_evidence() - before);
      },
      -12, 12, 2400);
  EXPECT_NEAR(total, 1, 1e-9);
}

TEST(TargetDensity, OfEightSchoolsEqualsThePublishedOne) {
  TEMPERA_REQUIRE_DATA(file, "posteriordb/check_values.json");
  const auto published = nlohmann::json::parse(test::read_text(file))["eight_schools-eight_schools_noncentered"];
  const auto centred = make_target("eight-schools", std::vector<std::string>{"centred=true"});
  const auto not_centred = make_target("eight-schools");
  for (const auto& point : published["points"]) {
    const Vector theta = point["constrained"];
    Vector u(10), reference(10), likelihood(10);
    centred->unconstrain(theta, u);
    const LogDensity density = centred->evaluate(u, reference, likelihood);
    // The file has the full Cauchy density on tau > 0; ours integrates to one there.
    EXPECT_NEAR(density.reference, point["log_prior"].get<double>() + point["log_jacobian"].get<double>() + std::log(2),
                2e-8);
    EXPECT_NEAR(density.likelihood, point["log_likelihood"].get<double>(), 2e-8);
    for (std::size_t i = 0; i < 10; ++i)
      EXPECT_NEAR(reference[i] + likelihood[i], point["grad_unconstrained_fd"][i].get<double>(), 1e-4);
    // theta_j = mu + tau z_j: the same likelihood, and a prior that differs by the Jacobian tau^8.
    Vector plain = u;
    for (std::size_t j = 0; j < 8; ++j) plain[j] = (u[j] - u[8]) / std::exp(u[9]);
    const LogDensity other = not_centred->evaluate(plain);
    EXPECT_NEAR(other.likelihood, density.likelihood, 1e-10);
    EXPECT_NEAR(other.reference, density.reference + 8 * u[9], 1e-10);
  }
}

}  // namespace
}  // namespace tempera
