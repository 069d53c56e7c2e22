#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "core/base/random_stream.hpp"

namespace tempera::test {

using Vector = std::vector<double>;

/// ∂f/∂x_i by central differences of order eight; f returns a double. For functions that vary on the scale `step` the
/// truncation error is below 1e-10 of f, the rounding error about 2ε|f|/step.
template <class Function>
double derivative(Function f, Vector x, std::size_t i, double step = 0.02) {
  constexpr std::array kWeights{4.0 / 5, -1.0 / 5, 4.0 / 105, -1.0 / 280};
  const double centre = x[i];
  double sum = 0;
  for (std::size_t k = 0; k < kWeights.size(); ++k) {
    const double shift = step * static_cast<double>(k + 1);
    x[i] = centre + shift;
    const double above = f(x);
    x[i] = centre - shift;
    sum += kWeights[k] * (above - f(x));
  }
  return sum / step;
}

/// Standard normals times `spread`, a fixed set for a seed.
inline Vector random_vector(std::size_t size, std::uint64_t seed, double spread = 1) {
  RandomStream stream(seed, "sampling-test", {static_cast<Index>(size)});
  Vector x(size);
  for (double& value : x) value = spread * stream.normal();
  return x;
}

/// ∫ f over [lower, upper] by the trapezoidal rule: as good as exact for analytic functions that vanish at both ends.
template <class Function>
double integral(Function f, double lower, double upper, int intervals) {
  const double step = (upper - lower) / intervals;
  double sum = 0;
  for (int k = 0; k <= intervals; ++k)
    sum += (k == 0 || k == intervals ? 0.5 : 1.0) * f(lower + step * static_cast<double>(k));
  return sum * step;
}

}  // namespace tempera::test
