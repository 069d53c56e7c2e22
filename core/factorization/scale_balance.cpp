#include "core/factorization/scale_balance.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

constexpr int kMostSteps = 200;
constexpr double kDeepest = 200;    // range of ln ν: no scale is 1e40 times another
constexpr double kSettled = 1e-15;  // of Σ t, and of a step in ln ν

/// c where the derivative of the cost in ln c is `slope`, within the bounds.
double scale_at(const ScaleCost& mode, double slope) {
  if (mode.linear == 0 && mode.quadratic == 0) return mode.most;
  // The positive root of 2·quadratic·c² + linear·c = slope, without cancellation.
  const double c = 2 * slope / (mode.linear + std::sqrt(mode.linear * mode.linear + 8 * mode.quadratic * slope));
  return std::clamp(c, mode.least, mode.most);
}

/// Σ ln c at a slope, and its derivative in ln slope.
struct LogSum {
  double value = 0;
  double derivative = 0;
};

LogSum log_sum(std::span<const ScaleCost> modes, double slope) {
  LogSum sum;
  for (const ScaleCost& mode : modes) {
    const double c = scale_at(mode, slope);
    sum.value += std::log(c);
    if (c > mode.least && c < mode.most) sum.derivative += slope / ((mode.linear + 4 * mode.quadratic * c) * c);
  }
  return sum;
}

/// ln slope where Σ ln c is 0. @pre it is below 0 at `low` and above at `high`
double balancing_slope(std::span<const ScaleCost> modes, double low, double high) {
  double at = 0.5 * (low + high);
  for (int step = 0; step < kMostSteps; ++step) {
    const LogSum sum = log_sum(modes, std::exp(at));
    if (std::abs(sum.value) <= kSettled) break;
    (sum.value < 0 ? low : high) = at;
    double next = sum.derivative > 0 ? at - sum.value / sum.derivative : low;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (std::abs(next - at) <= kSettled * std::max(1.0, std::abs(at))) break;
    at = next;
  }
  return at;
}

}  // namespace

ScaleCost scale_cost(const Constraint& constraint, const ColumnFigures& column) {
  ScaleCost cost{constraint.l1 * column.absolute,
                 constraint.ridge * column.squared + constraint.smooth * column.roughness};
  if (constraint.simplex != Constraint::Simplex::none || constraint.orthogonal) {
    cost.least = cost.most = 1;
    return cost;
  }
  if (constraint.norm_bounded && column.squared > 0) cost.most = 1 / std::sqrt(column.squared);
  if (column.reach > 0) cost.most = std::min(cost.most, 1 / column.reach);
  // Rounding has left the column beyond its bound by a digit.
  cost.most = std::max(cost.most, 1.0);
  cost.least = std::min(column.need, 1.0);
  return cost;
}

void note_bounds(const Constraint& constraint, double u, ColumnFigures& column) {
  if (u > 0 && constraint.upper_bounded()) column.reach = std::max(column.reach, u / constraint.upper);
  if (u < 0 && constraint.lower > -std::numeric_limits<double>::infinity())
    column.reach = std::max(column.reach, u / constraint.lower);
  if (constraint.lower > 0) column.need = std::max(column.need, constraint.lower / u);
  if (constraint.upper < 0) column.need = std::max(column.need, constraint.upper / u);
}

std::vector<double> balanced_scales(std::span<const ScaleCost> modes) {
  std::vector<double> scales(modes.size(), 1.0);
  double steepest = 0, gentlest = std::numeric_limits<double>::infinity();
  for (const ScaleCost& mode : modes) {
    TEMPERA_EXPECTS(mode.least <= 1 && mode.most >= 1);
    const double slope = mode.linear + 2 * mode.quadratic;
    if (slope == 0 && std::isinf(mode.most)) return scales;
    if (!std::isfinite(slope)) return scales;
    if (slope > 0) {
      steepest = std::max(steepest, slope);
      gentlest = std::min(gentlest, slope);
    }
  }
  if (steepest == 0) return scales;
  // At the steepest slope no mode shrinks. Downwards the bracket grows until the sum of the logarithms is negative; it
  // is not where all that cost something are at their least: then the others share what these leave.
  const double high = std::log(steepest);
  double low = std::log(gentlest), width = 1;
  const double lowest = high - kDeepest;
  while (log_sum(modes, std::exp(low)).value > 0 && low > lowest) low = std::max(lowest, low - (width *= 2));
  const double slope = std::exp(balancing_slope(modes, low, high));
  double excess = 0;
  for (std::size_t n = 0; n < modes.size(); ++n) {
    scales[n] = scale_at(modes[n], slope);
    excess += std::log(scales[n]);
  }
  // What is left of the product goes to the modes that have room, those that cost nothing first.
  for (const bool free_ones : {true, false})
    for (std::size_t n = 0; n < modes.size(); ++n) {
      if ((modes[n].linear + modes[n].quadratic == 0) != free_ones) continue;
      const double c = std::clamp(scales[n] * std::exp(-excess), modes[n].least, modes[n].most);
      if (c <= 0) continue;
      excess += std::log(c / scales[n]);
      scales[n] = c;
    }
  double before = 0, after = 0;
  for (std::size_t n = 0; n < modes.size(); ++n) {
    before += modes[n].at(1);
    after += modes[n].at(scales[n]);
  }
  if (!(after < before)) std::fill(scales.begin(), scales.end(), 1.0);
  return scales;
}

}  // namespace tempera
