#pragma once

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/complement.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tempera::test {

/// Upper bound of the p-value of a two-sided Kolmogorov–Smirnov test, from the Dvoretzky–Kiefer–Wolfowitz inequality
/// with Massart's constant: 2 exp(−2 n D²). It holds for every n, also for a cdf with jumps.
template <class Cdf>
double kolmogorov_smirnov_p_value(std::vector<double> sample, Cdf cdf) {
  std::sort(sample.begin(), sample.end());
  const double n = static_cast<double>(sample.size());
  double distance = 0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double expected = cdf(sample[i]);
    distance = std::max({distance, expected - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - expected});
  }
  return std::min(1.0, 2 * std::exp(-2 * n * distance * distance));
}

/// p-value of Pearson's test of counts against probabilities that sum to one; neighbouring cells are merged until
/// at least 20 are expected in each.
inline double chi_square_p_value(const std::vector<std::int64_t>& counts, const std::vector<double>& probabilities) {
  double total = 0;
  for (const std::int64_t count : counts) total += static_cast<double>(count);
  double statistic = 0;
  double observed = 0;
  double expected = 0;
  double left = total;
  int cells = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    observed += static_cast<double>(counts[i]);
    expected += total * probabilities[i];
    left -= total * probabilities[i];
    const bool last = i + 1 == counts.size();
    if (last || (expected >= 20 && left >= 20)) {
      statistic += (observed - expected) * (observed - expected) / expected;
      ++cells;
      observed = expected = 0;
    }
  }
  const boost::math::chi_squared distribution(cells - 1);
  return boost::math::cdf(boost::math::complement(distribution, statistic));
}

}  // namespace tempera::test
