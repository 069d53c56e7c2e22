#include "distributed/tensor/holdout_score.hpp"

#include <algorithm>
#include <cmath>

namespace tempera {

std::optional<HoldoutScore> holdout_score(std::span<const HoldoutStratum> strata, std::span<const double> sums) {
  if (sums.empty()) return std::nullopt;
  HoldoutScore score;
  double cells = 0, variance = 0;
  for (std::size_t k = 0; k < strata.size(); ++k) {
    const HoldoutStratum& stratum = strata[k];
    StratumScore& part = score.strata.emplace_back(StratumScore{stratum.name, stratum.held, stratum.cells, 0, 0});
    if (stratum.held == 0) continue;
    cells += stratum.cells;
    const auto held = static_cast<double>(stratum.held);
    part.mean = sums[2 * k] / held;
    const double spread = std::max(0.0, sums[2 * k + 1] / held - part.mean * part.mean);
    // Drawn without replacement from the cells there are. One cell tells nothing of the spread: not a number.
    part.standard_error = std::sqrt(spread / (held - 1) * std::max(0.0, 1 - held / stratum.cells));
    score.mean += part.mean * stratum.cells;
    variance += std::pow(part.standard_error * stratum.cells, 2);
  }
  if (cells == 0) return std::nullopt;
  score.mean /= cells;
  score.standard_error = std::sqrt(variance) / cells;
  return score;
}

}  // namespace tempera
