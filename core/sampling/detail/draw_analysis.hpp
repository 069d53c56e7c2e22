#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/sampling/detail/centred_chains.hpp"
#include "core/sampling/detail/mean_autocovariance.hpp"
#include "core/sampling/detail/rank_normal.hpp"
#include "core/sampling/diagnostics.hpp"

namespace tempera::detail {

/// One set of draws and what its diagnostics share: moments, the sorted order and working memory, all reused by the next
/// `load`. The functions that return CentredChains transform the draws, split them and take the means off; what they
/// return is overwritten by the next of them.
class DrawAnalysis {
 public:
  /// @throws Error{Category::shape} for chains of different lengths
  void load(ChainDraws chains);

  bool has_nan() const { return has_nan_; }
  /// All draws are finite and not all are equal: otherwise every diagnostic is NaN.
  bool usable() const { return usable_; }
  double mean() const { return mean_; }
  double sd() const { return sd_; }

  /// Type 7. @pre 0 ≤ p ≤ 1
  double quantile(double p);
  /// The k-th smallest of all draws, from 0.
  double order_statistic(std::size_t k);
  std::size_t size() const { return draws_.size(); }

  const CentredChains& centred_draws();
  /// Of (x − mean)², in units of sd².
  const CentredChains& centred_squares();
  /// Of the indicator x ≤ threshold.
  const CentredChains& centred_indicators(double threshold);
  /// Of the normal scores of the draws.
  const CentredChains& centred_scores();
  /// Of the normal scores of |x − median|.
  const CentredChains& centred_folded_scores();

  /// Variance of (x − mean)² with divisor S, in units of sd⁴.
  double variance_of_squares() const;

  double effective_size(const CentredChains& chains) { return effective_sample_size(chains, autocovariance_); }

 private:
  std::span<const double> in_halves() const { return {draws_.data(), halves_.count * halves_.length}; }
  void find_moments();
  void sort();

  std::vector<double> draws_;  ///< half after half, then the middle draws of chains of odd length
  bool has_nan_ = false;
  bool usable_ = false;
  double mean_ = 0;
  double sd_ = 0;
  bool sorted_ = false;
  std::vector<RankedDraw> order_;   ///< all draws, ascending
  std::vector<RankedDraw> folded_;  ///< their distances from the median, ascending
  NormalScores scores_;
  CentredChains halves_;
  MeanAutocovariance autocovariance_;
};

}  // namespace tempera::detail
