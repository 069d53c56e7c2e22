#include "core/sampling/schedule.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/contract.hpp"

namespace tempera {

MonotoneCubic::MonotoneCubic(std::span<const double> x, std::span<const double> y)
    : x_(x.begin(), x.end()), y_(y.begin(), y.end()), slope_(x.size()) {
  TEMPERA_EXPECTS(x.size() >= 2 && y.size() == x.size() && std::is_sorted(y.begin(), y.end()));
  TEMPERA_EXPECTS(std::adjacent_find(x.begin(), x.end(), [](double a, double b) { return a >= b; }) == x.end());
  const std::size_t last = x.size() - 1;
  std::vector<double> secant(last);
  for (std::size_t k = 0; k < last; ++k) secant[k] = (y_[k + 1] - y_[k]) / (x_[k + 1] - x_[k]);
  slope_[0] = secant[0];
  slope_[last] = secant[last - 1];
  for (std::size_t k = 1; k < last; ++k) slope_[k] = 0.5 * (secant[k - 1] + secant[k]);
  for (std::size_t k = 0; k < last; ++k) {
    if (secant[k] == 0) {
      slope_[k] = slope_[k + 1] = 0;
      continue;
    }
    // Inside the circle of radius 3 the cubic is monotone.
    const double a = slope_[k] / secant[k], b = slope_[k + 1] / secant[k], length = std::hypot(a, b);
    if (length <= 3) continue;
    slope_[k] = 3 * a / length * secant[k];
    slope_[k + 1] = 3 * b / length * secant[k];
  }
}

double MonotoneCubic::in_interval(std::size_t k, double x) const {
  const double h = x_[k + 1] - x_[k], t = std::clamp((x - x_[k]) / h, 0.0, 1.0), s = 1 - t;
  const double value = s * s * (1 + 2 * t) * y_[k] + s * s * t * h * slope_[k] + t * t * (3 - 2 * t) * y_[k + 1] -
                       t * t * s * h * slope_[k + 1];
  return std::clamp(value, y_[k], y_[k + 1]);
}

double MonotoneCubic::operator()(double x) const {
  const auto after = std::upper_bound(x_.begin() + 1, x_.end() - 1, x);
  return in_interval(static_cast<std::size_t>(after - x_.begin()) - 1, x);
}

double MonotoneCubic::inverse(double y) const {
  const auto after = std::lower_bound(y_.begin() + 1, y_.end() - 1, y);
  const auto k = static_cast<std::size_t>(after - y_.begin()) - 1;
  double low = x_[k], high = x_[k + 1];
  for (;;) {
    const double middle = low + 0.5 * (high - low);
    if (middle <= low || middle >= high) return high;
    (in_interval(k, middle) < y ? low : high) = middle;
  }
}

std::vector<double> even_schedule(Index chains) {
  TEMPERA_EXPECTS(chains >= 2);
  std::vector<double> schedule;
  for (Index i = 0; i < chains; ++i) schedule.push_back(static_cast<double>(i) / static_cast<double>(chains - 1));
  return schedule;
}

std::vector<double> equal_rejection_schedule(std::span<const double> schedule, std::span<const double> rejections,
                                             Index chains) {
  constexpr double kLeast = 1e-6;
  TEMPERA_EXPECTS(chains >= 2 && schedule.size() == rejections.size() + 1);
  std::vector<double> cumulative{0};
  for (const double r : rejections) cumulative.push_back(cumulative.back() + std::max(r, kLeast));
  const MonotoneCubic barrier(schedule, cumulative);
  std::vector<double> cut{0};
  for (Index i = 1; i + 1 < chains; ++i) {
    const double goal = cumulative.back() * static_cast<double>(i) / static_cast<double>(chains - 1);
    cut.push_back(barrier.inverse(goal));
  }
  cut.push_back(1);
  return cut;
}

Index suggested_chains(double barrier) {
  return std::max<Index>(2, static_cast<Index>(std::ceil(2 * barrier)) + 1);
}

double ideal_round_trip_rate(std::span<const double> rejections) {
  double sum = 0;
  for (const double r : rejections) sum += r / (1 - r);
  return 1 / (2 + 2 * sum);
}

}  // namespace tempera
