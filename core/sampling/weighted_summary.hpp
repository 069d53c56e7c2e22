#pragma once

#include <span>

#include "core/base/index.hpp"

namespace tempera {

/// What weighted draws of one scalar quantity say.
struct WeightedSummary {
  double mean = 0;
  double sd = 0;
  double q05 = 0, q50 = 0, q95 = 0;
  double mcse_mean = 0;  ///< from the influence of each scan, all chains together, as of estimate_evidence
  double ess = 0;        ///< independent draws of the target that would have this error: (sd / mcse_mean)²
};

/// @param values   of chain c at scan t: values[c · scans + t]
/// @param weights  the same, adding up to 1 (see target_weights); their own uncertainty is of second order and left out
/// Cost O(S log S).
WeightedSummary weighted_summary(std::span<const double> values, std::span<const double> weights, Index scans);

}  // namespace tempera
