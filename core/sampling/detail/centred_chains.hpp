#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace tempera::detail {

/// Chains of equal length (halves, as a rule) with their means taken off: what R-hat and ESS are made of.
struct CentredChains {
  std::size_t count = 0;
  std::size_t length = 0;
  std::vector<double> values;  ///< count rows of `length` numbers; each row sums to zero
  std::vector<double> means;   ///< of each chain, before
  bool constant = true;        ///< all numbers were equal within rounding

  std::span<const double> row(std::size_t chain) const { return {values.data() + chain * length, length}; }
};

/// Mean of the numbers, with a second pass that takes away the rounding of the first.
double exact_mean(std::span<const double> values);

/// Do numbers between `least` and `largest` differ by no more than rounding?
bool equal_within_rounding(double least, double largest);

/// Finds the means of the rows in `chains.values` (count and length are set), takes them off, sets `means` and `constant`.
void centre(CentredChains& chains);

/// Variance of the means with divisor count − 1; NaN for one chain.
double variance_of_means(const CentredChains& chains);

/// R-hat of the chains as they are: √((n − 1)/n + variance of means / mean within variance).
/// NaN for one chain, fewer than two draws, or constant chains.
double basic_rhat(const CentredChains& chains);

/// Nested R-hat over groups of equally many chains, at least two groups (diagnostics.hpp, rhat_nested).
double nested_rhat(const CentredChains& chains, std::span<const std::vector<std::size_t>> groups);

}  // namespace tempera::detail
