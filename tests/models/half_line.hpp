#pragma once

#include <cmath>
#include <numbers>

#include "core/base/random_stream.hpp"
#include "core/sampling/detail/densities.hpp"

namespace tempera::test {

/// Draws from the absolute value of a Cauchy variable of this scale.
inline double half_cauchy_draw(RandomStream& stream, double scale) {
  return scale * std::tan(0.5 * std::numbers::pi * stream.uniform_open());
}

/// Draws from N(mean, sd²) on x > 0, by rejection. @pre mean ≥ 0
inline double positive_normal_draw(RandomStream& stream, double mean, double sd) {
  for (;;)
    if (const double x = mean + sd * stream.normal(); x > 0) return x;
}

/// log Φ(mean/sd): what N(mean, sd²) has on x > 0.
inline double log_positive_mass(double mean, double sd) {
  return std::log(0.5 * std::erfc(-mean / sd * std::numbers::sqrt2 / 2));
}

}  // namespace tempera::test
