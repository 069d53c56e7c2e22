#pragma once

#include <cmath>
#include <cstddef>
#include <span>

#include "core/linalg/exponential.hpp"
#include "core/sampling/detail/stable.hpp"

namespace tempera::detail {

using In = std::span<const double>;
using Out = std::span<double>;

struct IdentityMap {
  double forward(In u, Out theta) const {
    for (std::size_t i = 0; i < u.size(); ++i) theta[i] = u[i];
    return 0;
  }
  void inverse(In theta, Out u) const { forward(theta, u); }
  void pull_back(In, In, In theta_gradient, Out u_gradient) const { forward(theta_gradient, u_gradient); }
  void add_jacobian_gradient(In, In, Out) const {}
};

/// θ = bound + sign·e^u.
struct HalfLineMap {
  double bound;
  double sign;

  double forward(In u, Out theta) const {
    double log_jacobian = 0;
    for (std::size_t i = 0; i < u.size(); ++i) log_jacobian += theta[i] = u[i];
    exponentials(theta.first(u.size()));
    if (bound != 0 || sign != 1)
      for (std::size_t i = 0; i < u.size(); ++i) theta[i] = bound + sign * theta[i];
    return log_jacobian;
  }
  void inverse(In theta, Out u) const {
    for (std::size_t i = 0; i < u.size(); ++i) u[i] = std::log(sign * (theta[i] - bound));
  }
  void pull_back(In u, In theta, In theta_gradient, Out u_gradient) const {
    if (bound == 0) {
      for (std::size_t i = 0; i < u.size(); ++i) u_gradient[i] = theta[i] * theta_gradient[i];
      return;
    }
    // e^u anew: θ − bound has lost its digits where θ ≈ bound.
    for (std::size_t i = 0; i < u.size(); ++i) u_gradient[i] = sign * std::exp(u[i]) * theta_gradient[i];
  }
  void add_jacobian_gradient(In u, In, Out u_gradient) const {
    for (std::size_t i = 0; i < u.size(); ++i) u_gradient[i] += 1;
  }
};

/// θ = lower + (upper − lower)/(1 + e^−u).
struct IntervalMap {
  double lower;
  double upper;

  double forward(In u, Out theta) const {
    const double width = upper - lower;
    double log_jacobian = static_cast<double>(u.size()) * std::log(width);
    LogProduct product;
    for (std::size_t i = 0; i < u.size(); ++i) {
      const double e = std::exp(-std::abs(u[i]));
      const double to_nearer_end = width * e / (1 + e);
      theta[i] = u[i] < 0 ? lower + to_nearer_end : upper - to_nearer_end;
      log_jacobian -= std::abs(u[i]);
      product.multiply(1 + e);
    }
    return log_jacobian - 2 * product.log();
  }
  void inverse(In theta, Out u) const {
    for (std::size_t i = 0; i < u.size(); ++i) u[i] = std::log((theta[i] - lower) / (upper - theta[i]));
  }
  void pull_back(In u, In, In theta_gradient, Out u_gradient) const {
    for (std::size_t i = 0; i < u.size(); ++i) {
      const double e = std::exp(-std::abs(u[i]));
      u_gradient[i] = (upper - lower) * (e / ((1 + e) * (1 + e))) * theta_gradient[i];
    }
  }
  void add_jacobian_gradient(In u, In, Out u_gradient) const {
    for (std::size_t i = 0; i < u.size(); ++i) u_gradient[i] -= std::tanh(u[i] / 2);
  }
};

}  // namespace tempera::detail
