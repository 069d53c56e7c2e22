#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/sampling/explorer.hpp"
#include "tests/support/statistics.hpp"

namespace tempera::test {

using In = std::span<const double>;
using Out = std::span<double>;
constexpr double kNone = -std::numeric_limits<double>::infinity();

/// One part of a log density given by a function of the test, which fills the gradient if it is not empty.
using Density = std::function<double(In u, Out gradient)>;

/// Reference and likelihood given by functions of the test.
class FunctionTarget final : public Target {
 public:
  FunctionTarget(Index dimension, Density reference, Density likelihood = {})
      : Target({{"x", {dimension}, Transform::identity()}}),
        reference_(std::move(reference)),
        likelihood_(std::move(likelihood)) {}
  using Target::evaluate;
  LogDensity evaluate(In u, Out reference_gradient, Out likelihood_gradient) override {
    const double reference = reference_(u, reference_gradient);
    if (likelihood_) return {reference, likelihood_(u, likelihood_gradient)};
    for (double& entry : likelihood_gradient) entry = 0;
    return {reference, 0};
  }
  bool has_gradient() const override { return true; }
  std::unique_ptr<Target> clone() const override { return std::make_unique<FunctionTarget>(*this); }

 private:
  Density reference_, likelihood_;
};

inline double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

/// A quantity of a point whose distribution function is known.
struct Margin {
  std::string name;
  std::function<double(In)> value;
  std::function<double(double)> cdf;
};

/// A target at one temperature, with exact draws.
struct ExactCase {
  std::string name;
  std::shared_ptr<Target> target;
  double beta = 1;
  std::function<void(RandomStream&, Out)> draw;
  std::vector<Margin> margins;
};

/// Normal in three dimensions with strong correlations: reference N(0, 3² I), β times a likelihood with precision matrix.
ExactCase correlated_normal(double beta);
/// Two independent logarithms of gamma variables, of which β times the tails lie in the likelihood.
ExactCase log_gammas(double beta);
/// Exponential on u > 0 and uniform on (0, 1), −∞ elsewhere.
ExactCase bounded(double beta);
/// A standard normal where u > −0.5; the density is NaN or the gradient is below.
ExactCase broken_density();
ExactCase broken_gradient();
/// v ~ N(0, 1), x ~ N(0, e^2v).
ExactCase small_funnel();
/// 0.3 N(−4, 1) + 0.7 N(3, 0.2²) in one dimension.
ExactCase two_modes();

/// Scales of the coordinates times `factor`; covariance from draws if `dense`.
ChainTuning tuning_for(const ExactCase& exact, double factor, bool dense, std::vector<double> step_sizes);

/// Steps from exact draws, which have to be exact ones afterwards: a false alarm has a probability below 1e-8 a margin, an
/// error of a distribution function of 0.04 is always found with the default number of draws. Density and gradient of the
/// point are checked to be current.
void expect_invariance(Explorer& explorer, const ExactCase& exact, const ChainTuning& tuning, const std::string& what,
                       int steps = 2, int draws = 10'000);

}  // namespace tempera::test
