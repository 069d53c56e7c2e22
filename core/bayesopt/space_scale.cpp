#include "core/bayesopt/space_scale.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

constexpr int kDigits = 12;
constexpr double kExactCounts = 0x1p49;  // counts of the last decimal stay eight times finer than a double's last bit
constexpr int kLargestPower = 290;       // of ten, with room below the largest double

}  // namespace

SpaceScale::SpaceScale(double low, double high, bool log_scale) : low_(low), high_(high), log_(log_scale) {
  TEMPERA_EXPECTS(low < high && std::isfinite(high - low));
  if (log_) {
    origin_ = std::log(low);
    width_ = std::log(high) - origin_;
    return;
  }
  origin_ = low;
  width_ = high - low;
  int decimals = std::clamp(kDigits - static_cast<int>(std::ceil(std::log10(width_))), -kLargestPower, kLargestPower);
  const double largest = std::max(std::abs(low), std::abs(high));
  while (std::log10(largest) + decimals > std::log10(kExactCounts)) --decimals;
  multiplied_ = decimals >= 0;
  multiplier_ = std::pow(10.0, std::abs(decimals));
}

double SpaceScale::value(double position) const {
  if (!(position > 0)) return low_;
  if (position >= 1) return high_;
  const double exact = log_ ? std::exp(origin_ + position * width_) : origin_ + position * width_;
  return std::clamp(round(exact), low_, high_);
}

double SpaceScale::position(double value) const {
  if (value <= low_) return 0;
  if (value >= high_) return 1;
  const double exact = ((log_ ? std::log(value) : value) - origin_) / width_;
  return std::clamp(exact, 0.0, 1.0);
}

double SpaceScale::round(double value) const {
  bool multiplied = multiplied_;
  double multiplier = multiplier_;
  if (log_) {
    constexpr double kTiny = 1e-200;  // below, the power of ten could overflow
    if (value < kTiny) return round(value / kTiny) * kTiny;
    const int decimals = kDigits - 1 - static_cast<int>(std::floor(std::log10(value)));
    multiplied = decimals >= 0;
    multiplier = std::pow(10.0, std::abs(decimals));
  }
  return multiplied ? std::nearbyint(value * multiplier) / multiplier : std::nearbyint(value / multiplier) * multiplier;
}

}  // namespace tempera
