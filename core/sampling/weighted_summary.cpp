#include "core/sampling/weighted_summary.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/base/contract.hpp"
#include "core/sampling/diagnostics.hpp"

namespace tempera {

WeightedSummary weighted_summary(std::span<const double> values, std::span<const double> weights, Index scans) {
  const auto length = static_cast<std::size_t>(scans);
  TEMPERA_EXPECTS(scans >= 1 && values.size() == weights.size() && values.size() % length == 0);
  WeightedSummary summary;
  for (std::size_t k = 0; k < values.size(); ++k) summary.mean += weights[k] * values[k];
  double squares = 0;
  std::vector<double> influence(length, 0.0);
  for (std::size_t k = 0; k < values.size(); ++k) {
    const double deviation = values[k] - summary.mean;
    squares += weights[k] * deviation * deviation;
    influence[k % length] += static_cast<double>(scans) * weights[k] * deviation;
  }
  summary.sd = std::sqrt(squares);
  const std::span<const double> chains[] = {influence};
  summary.mcse_mean = mcse_mean(chains);
  summary.ess = squares / (summary.mcse_mean * summary.mcse_mean);

  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  const auto quantile = [&](double p) {
    double sum = 0;
    for (const std::size_t k : order)
      if ((sum += weights[k]) >= p) return values[k];
    return values[order.back()];
  };
  summary.q05 = quantile(0.05);
  summary.q50 = quantile(0.5);
  summary.q95 = quantile(0.95);
  return summary;
}

}  // namespace tempera
