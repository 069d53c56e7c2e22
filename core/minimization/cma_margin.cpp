#include "core/minimization/cma_margin.hpp"

#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <numbers>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

double upper_tail(double z) {
  return 0.5 * std::erfc(z / std::numbers::sqrt2);
}

/// z of an upper tail.
double quantile(double tail) {
  return std::numbers::sqrt2 * boost::math::erfc_inv(2 * tail);
}

}  // namespace

CmaMarginal with_margin(CmaMarginal marginal, double deviation, double below, double above, double margin) {
  TEMPERA_EXPECTS(deviation > 0 && below < above && margin > 0 && margin < 0.5);
  const double sd = marginal.stretch * deviation;
  if (std::isinf(below) || std::isinf(above)) {
    const double furthest = sd * quantile(margin);
    if (std::isfinite(above)) marginal.mean = std::max(marginal.mean, above - furthest);
    if (std::isfinite(below)) marginal.mean = std::min(marginal.mean, below + furthest);
    return marginal;
  }
  const double low = upper_tail((marginal.mean - below) / sd), high = upper_tail((above - marginal.mean) / sd);
  const double middle = 1 - low - high, least = margin / 2;
  if (low >= least && high >= least) return marginal;
  const double raised_low = std::max(least, low), raised_high = std::max(least, high);
  // What was raised is taken from the rest in proportion, so that the three are 1 again.
  const double share = (1 - raised_low - raised_high - middle) / (raised_low + raised_high + middle - 3 * least);
  const double z_low = quantile(raised_low + share * (raised_low - least));
  const double z_high = quantile(raised_high + share * (raised_high - least));
  marginal.stretch = (above - below) / (z_low + z_high) / deviation;
  marginal.mean = (below * z_high + above * z_low) / (z_low + z_high);
  return marginal;
}

}  // namespace tempera
