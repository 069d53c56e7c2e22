#pragma once

#include <cmath>
#include <numbers>
#include <span>

#include "core/sampling/detail/stable.hpp"

namespace tempera::detail {

constexpr double kLogTwoPi = 1.8378770664093454836;

/// log N(x; mean, sd²).
inline double log_normal(double x, double mean, double sd) {
  const double z = (x - mean) / sd;
  return -0.5 * (kLogTwoPi + z * z) - std::log(sd);
}

/// Log density at x > 0 of the absolute value of a Cauchy variable of this scale.
inline double log_half_cauchy(double x, double scale) {
  constexpr double kLarge = 1e8;  // from here on log(1 + r²) = 2 log r to the last bit, and r² may overflow
  const double r = x / scale;
  return std::log(2 / (std::numbers::pi * scale)) - (r < kLarge ? std::log1p(r * r) : 2 * std::log(r));
}

/// Its derivative by x.
inline double log_half_cauchy_slope(double x, double scale) {
  const double r = x / scale;
  return -2 / scale * (r < 1 ? r / (1 + r * r) : 1 / (r + 1 / r));
}

/// Σ x².
inline double squared_norm(std::span<const double> x) {
  double sum = 0;
  for (const double value : x) sum += value * value;
  return sum;
}

}  // namespace tempera::detail
