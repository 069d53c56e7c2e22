#include "core/sampling/model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "core/base/error.hpp"
#include "tests/support/statistics.hpp"
#include "tests/unit/sampling/differences.hpp"

namespace tempera {
namespace {

using test::Vector;

/// p ~ Beta(2, 2) on the interval, shares ~ uniform on the simplex (twice), a direction uniform on the circle; the
/// likelihood is p shares[1][0] (1 + direction[0]/2).
class Everything : public Model {
 public:
  std::vector<ParameterBlock> parameters() const override {
    return {{"p", {}, Transform::interval(0, 1)},
            {"shares", {2, 3}, Transform::simplex()},
            {"direction", {2}, Transform::unit_vector()}};
  }
  double log_prior(std::span<const double> theta, std::span<double> gradient) override {
    if (!gradient.empty()) {
      std::fill(gradient.begin(), gradient.end(), 0.0);
      gradient[0] = 1 / theta[0] - 1 / (1 - theta[0]);
    }
    return std::log(6 * theta[0] * (1 - theta[0])) + 2 * std::numbers::ln2 - std::log(2 * std::numbers::pi);
  }
  double log_likelihood(std::span<const double> theta, std::span<double> gradient) override {
    if (!gradient.empty()) {
      std::fill(gradient.begin(), gradient.end(), 0.0);
      gradient[0] = 1 / theta[0];
      gradient[4] = 1 / theta[4];
      gradient[7] = 0.5 / (1 + theta[7] / 2);
    }
    return std::log(theta[0] * theta[4] * (1 + theta[7] / 2));
  }
  bool has_gradient() const override { return true; }
  bool samples_prior() const override { return true; }
  bool normalised_prior() const override { return true; }
  void sample_prior(RandomStream& stream, std::span<double> theta) override {
    theta[0] = stream.beta(2, 2);
    for (std::size_t row = 0; row < 2; ++row) {
      double sum = 0;
      for (std::size_t k = 0; k < 3; ++k) sum += theta[1 + 3 * row + k] = stream.exponential();
      for (std::size_t k = 0; k < 3; ++k) theta[1 + 3 * row + k] /= sum;
    }
    const double angle = 2 * std::numbers::pi * stream.uniform();
    theta[7] = std::cos(angle);
    theta[8] = std::sin(angle);
  }
  std::unique_ptr<Model> clone() const override { return std::make_unique<Everything>(*this); }
};

TEST(TransformedTarget, LaysOutBlocksOneAfterTheOther) {
  TransformedTarget target(std::make_unique<Everything>());
  EXPECT_EQ(target.dimension(), 1 + 2 * 2 + 2);
  EXPECT_EQ(target.constrained_size(), 1 + 2 * 3 + 2);
  Vector theta(9);
  target.constrain(Vector{0, 0, 0, 0, 0, 3, 4}, theta);
  const Vector expected{0.5, 1.0 / 3, 1.0 / 3, 1.0 / 3, 1.0 / 3, 1.0 / 3, 1.0 / 3, 0.6, 0.8};
  for (std::size_t i = 0; i < 9; ++i) EXPECT_NEAR(theta[i], expected[i], 1e-15) << i;
}

TEST(TransformedTarget, GradientsAreThoseOfTheDensities) {
  TransformedTarget target(std::make_unique<Everything>());
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Vector u = test::random_vector(7, seed);
    Vector reference(7), likelihood(7);
    target.evaluate(u, reference, likelihood);
    for (std::size_t i = 0; i < 7; ++i) {
      const auto by = [&](double LogDensity::*part) {  // a short step: the direction may turn quickly
        return test::derivative([&](const Vector& at) { return target.evaluate(at).*part; }, u, i, 2e-3);
      };
      EXPECT_NEAR(reference[i], by(&LogDensity::reference), 1e-8);
      EXPECT_NEAR(likelihood[i], by(&LogDensity::likelihood), 1e-8);
    }
  }
}

/// 20 000 draws; every mean within 5.5 standard errors of its expectation: false alarms 4e-8 a check.
TEST(TransformedTarget, DrawsOfThePriorCarryTheLengthOfUnitVectors) {
  TransformedTarget target(std::make_unique<Everything>());
  constexpr int kDraws = 20000;
  Vector squared_length, score_sum(7), score_squares(7), reference(7), likelihood(7), u(7);
  for (int draw = 0; draw < kDraws; ++draw) {
    RandomStream stream(1, "sampling-test-draw", {draw});
    target.sample_reference(stream, u);
    target.evaluate(u, reference, likelihood);
    for (std::size_t i = 0; i < 7; ++i) {
      const double virial = 1 + u[i] * reference[i];  // mean 0 for a normalised density
      score_sum[i] += virial;
      score_squares[i] += virial * virial;
    }
    squared_length.push_back(u[5] * u[5] + u[6] * u[6]);
  }
  for (std::size_t i = 0; i < 7; ++i) EXPECT_LT(std::abs(score_sum[i]), 5.5 * std::sqrt(score_squares[i])) << i;
  EXPECT_GT(test::kolmogorov_smirnov_p_value(squared_length, [](double x) { return 1 - std::exp(-x / 2); }), 1e-6);
}

TEST(TransformedTarget, LeavesTheLikelihoodOutWhereThePriorHasNoMass) {
  class Outside final : public Everything {
    double log_prior(std::span<const double>, std::span<double> gradient) override {
      std::fill(gradient.begin(), gradient.end(), std::numeric_limits<double>::quiet_NaN());
      return -std::numeric_limits<double>::infinity();
    }
    double log_likelihood(std::span<const double>, std::span<double>) override {
      ADD_FAILURE() << "evaluated outside the prior";
      return 0;
    }
  };
  TransformedTarget target(std::make_unique<Outside>());
  Vector u(7, 0.1), reference(7, 1.0), likelihood(7, 1.0);
  const LogDensity density = target.evaluate(u, reference, likelihood);
  EXPECT_EQ(density.reference, -std::numeric_limits<double>::infinity());
  EXPECT_EQ(density.likelihood, 0);
  EXPECT_EQ(reference, Vector(7, 0.0));
  EXPECT_EQ(likelihood, Vector(7, 0.0));
}

TEST(TransformedTarget, PassesOnWhichPriorIsImproper) {
  class Flat final : public Everything {
    std::optional<std::string> improper_parameter() const override { return "p"; }
    std::unique_ptr<Model> clone() const override { return std::make_unique<Flat>(*this); }
  };
  EXPECT_EQ(TransformedTarget(std::make_unique<Everything>()).improper_parameter(), std::nullopt);
  EXPECT_EQ(TransformedTarget(std::make_unique<Flat>()).clone()->improper_parameter(), "p");
}

std::string refusal(std::vector<ParameterBlock> blocks, Category category) {
  try {
    ParameterLayout layout(std::move(blocks));
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), category);
    return error.message();
  }
  return "accepted";
}

TEST(ParameterLayout, RefusesNamesAndShapesThatCannotBe) {
  EXPECT_EQ(refusal({{"a"}, {"b"}, {"a"}}, Category::input),
            "tempera: error: two parameters have the name 'a'\nhint: give each parameter a name of its own");
  EXPECT_EQ(refusal({{"a"}, {""}}, Category::input), "tempera: error: parameter 1 has no name");
  EXPECT_EQ(refusal({{"a", {3, 0}}}, Category::shape),
            "tempera: error: parameter a: its shape (3, 0) has a size below 1");
  EXPECT_EQ(refusal({{"a", {}, Transform::simplex()}}, Category::shape),
            "tempera: error: parameter a: simplex needs a vector, but its shape is ()");
  EXPECT_EQ(refusal({{"L", {2, 3}, Transform::cholesky_correlation()}}, Category::shape),
            "tempera: error: parameter L: Cholesky factor of a correlation matrix needs a square matrix, but its shape "
            "is (2, 3)");
}

TEST(ParameterLayout, RefusesPointsOutsideTheSupport) {
  const auto message = [](const ParameterBlock& block, const Vector& theta) {
    const ParameterLayout layout({block});
    Vector u(static_cast<std::size_t>(layout.dimension()));
    try {
      layout.unconstrain(theta, u);
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), Category::input);
      return error.where() + ": " + error.what_is_wrong();
    }
    return std::string("accepted");
  };
  EXPECT_EQ(message({"tau", {}, Transform::lower(0)}, {-1}), "parameter tau: (-1) lies outside its support: lower(0)");
  EXPECT_EQ(message({"tau", {}, Transform::lower(0)}, {0}), "parameter tau: (0) lies outside its support: lower(0)");
  EXPECT_EQ(message({"w", {2}, Transform::simplex()}, {0.5, 0.6}),
            "parameter w: (0.5, 0.6) lies outside its support: simplex");
  EXPECT_EQ(message({"c", {2}, Transform::ordered()}, {2, 1}), "parameter c: (2, 1) lies outside its support: ordered");
  EXPECT_EQ(message({"d", {2}, Transform::unit_vector()}, {1, 1}),
            "parameter d: (1, 1) lies outside its support: unit vector");
  EXPECT_EQ(message({"x"}, {NAN}), "parameter x: (nan) lies outside its support: identity");
  EXPECT_EQ(message({"w", {2, 2}, Transform::simplex()}, {0.5, 0.5, 0.25, 0.75}), "accepted");
}

}  // namespace
}  // namespace tempera
