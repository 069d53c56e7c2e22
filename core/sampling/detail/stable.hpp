#pragma once

#include <math.h>  // lgamma_r

#include <cmath>

namespace tempera::detail {

/// 1/(1 + e^−x), full relative accuracy on both sides.
inline double logistic(double x) {
  const double e = std::exp(-std::abs(x));
  return (x >= 0 ? 1.0 : e) / (1 + e);
}

/// log(1 + e^x) without overflow.
inline double log1p_exp(double x) {
  return (x > 0 ? x : 0.0) + std::log1p(std::exp(-std::abs(x)));
}

/// log sech²(x) = log(1 − tanh² x), finite for every finite x.
inline double log_sech_squared(double x) {
  constexpr double kLog2 = 0.693147180559945309417;
  const double size = std::abs(x);
  return -2 * (size - kLog2 + std::log1p(std::exp(-2 * size)));
}

/// log |Γ(x)|; unlike std::lgamma it touches no global variable, so that threads may call it.
inline double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

/// 1/cosh(x) without overflow.
inline double sech(double x) {
  const double e = std::exp(-std::abs(x));
  return 2 * e / (1 + e * e);
}

/// Sum of the logarithms of factors from 1 to 10⁷, with one call of log for many of them.
class LogProduct {
 public:
  void multiply(double factor) {
    product_ *= factor;
    if (product_ > 1e300) {
      sum_ += std::log(product_);
      product_ = 1;
    }
  }
  double log() const { return sum_ + std::log(product_); }

 private:
  double product_ = 1;
  double sum_ = 0;
};

}  // namespace tempera::detail
