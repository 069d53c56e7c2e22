#include "core/bayesopt/acquisition_functions.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

const double kLogRootTwoPi = 0.5 * std::log(2 * std::numbers::pi);
constexpr double kDirect = -1;  // Φ and φ + zΦ lose nothing above
constexpr double kSeries = -9;  // 1 − t is below 1/80 and the least term of its series below 1e-17

double density(double z) {
  return std::exp(-0.5 * z * z - kLogRootTwoPi);
}
double distribution(double z) {
  return 0.5 * std::erfc(-z / std::numbers::sqrt2);
}

/// With t = |z| Φ(z)/φ(z) for z ≤ −1: Φ = φ t/|z| and φ + zΦ = φ (1 − t). Returns 1 − t.
double one_minus_mills(double z) {
  if (z > kSeries) {
    const double x = -z / std::numbers::sqrt2;
    const double erfcx = std::exp(x * x) * std::erfc(x);
    return 1 - std::sqrt(0.5 * std::numbers::pi) * -z * erfcx;
  }
  // 1/z² − 3/z⁴ + 15/z⁶ − …
  const double inverse = 1 / (z * z);
  double term = inverse, sum = 0;
  for (int k = 1; k < 40 && sum + term != sum; ++k) {
    sum += term;
    term *= -(2 * k + 1) * inverse;
  }
  return sum;
}

}  // namespace

MomentValue expected_improvement(double mean, double sd, double best) {
  const double gain = best - mean, z = gain / sd;
  const double phi = density(z), below = distribution(z);
  const double value = z > kDirect ? sd * phi + gain * below : sd * phi * one_minus_mills(z);
  return {std::max({value, gain, 0.0}), -below, phi};
}

MomentValue log_expected_improvement(double mean, double sd, double best) {
  const double gain = best - mean, z = gain / sd;
  if (z > kDirect) {
    const double phi = density(z), below = distribution(z);
    const double value = sd * phi + gain * below;  // not sd·h(z): z may be infinite
    return {std::log(value), -below / value, phi / value};
  }
  const double log_value = std::log(sd) - 0.5 * z * z - kLogRootTwoPi;
  if (!std::isfinite(log_value)) return {};
  const double rest = one_minus_mills(z);
  // Φ/h = t/(|z|(1 − t)), φ/h = 1/(1 − t)
  return {log_value + std::log(rest), (1 - rest) / (z * rest * sd), 1 / (rest * sd)};
}

MomentValue log_probability_below(double mean, double sd, double limit) {
  const double z = (limit - mean) / sd;
  double value, ratio;  // ratio = φ/Φ
  if (z > kDirect) {
    const double above = 0.5 * std::erfc(z / std::numbers::sqrt2);
    value = std::log1p(-above);
    ratio = density(z) / (1 - above);
  } else {
    value = -0.5 * z * z - kLogRootTwoPi;
    if (!std::isfinite(value)) return {};
    const double t = 1 - one_minus_mills(z);
    value += std::log(t / -z);
    ratio = -z / t;
  }
  const double by_z = ratio == 0 ? 0 : ratio * z;  // z may be infinite
  return {value, -ratio / sd, -by_z / sd};
}

MomentValue confidence_bound(double mean, double sd, double beta) {
  return {beta * sd - mean, -1, beta};
}

double log_mean_exp(std::span<const double> values, std::span<double> shares) {
  TEMPERA_EXPECTS(!values.empty() && (shares.empty() || shares.size() == values.size()));
  const double largest = *std::max_element(values.begin(), values.end());
  const auto count = static_cast<double>(values.size());
  if (std::isinf(largest)) {
    std::fill(shares.begin(), shares.end(), 1 / count);
    return largest;
  }
  double sum = 0;  // of equal values: exactly their number
  for (const double value : values) sum += std::exp(value - largest);
  for (std::size_t i = 0; i < shares.size(); ++i) shares[i] = std::exp(values[i] - largest) / sum;
  return largest + std::log(sum / count);
}

}  // namespace tempera
