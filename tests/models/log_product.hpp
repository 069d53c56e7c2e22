#pragma once

#include <cmath>

namespace tempera::test {

/// log of a product of positive factors of any size, with one call of log for many of them.
class LogProduct {
 public:
  void multiply(double factor) {
    constexpr double kFar = 1e100;
    if (!(factor < kFar && factor > 1 / kFar)) {
      sum_ += std::log(factor);
      return;
    }
    product_ *= factor;
    if (product_ < kFar && product_ > 1 / kFar) return;
    sum_ += std::log(product_);
    product_ = 1;
  }
  double log() const { return sum_ + std::log(product_); }

 private:
  double product_ = 1;
  double sum_ = 0;
};

}  // namespace tempera::test
