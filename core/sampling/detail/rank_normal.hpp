#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace tempera::detail {

/// A draw and its place in an array of all draws.
struct RankedDraw {
  double value;
  std::size_t place;
};

/// Sorts by value; the order of equal values is unspecified. @pre no value is NaN
void sort_draws(std::span<RankedDraw> draws);

/// Distances |value − median| of sorted draws, sorted, into `folded`, in one pass over the draws.
void fold_sorted(std::span<const RankedDraw> sorted, double median, std::vector<RankedDraw>& folded);

/// Normal scores Φ⁻¹((rank − 3/8)/(S + 1/4)) (Blom 1958); keeps those of whole ranks for the next array of the same size.
class NormalScores {
 public:
  /// Writes scores[draw.place] for all draws with place < scores.size(), ranked among themselves; equal values
  /// share the mean of their ranks. Others are passed over.
  /// @pre `sorted` ascends and its places below scores.size() are all different and complete
  void write(std::span<const RankedDraw> sorted, std::span<double> scores);

 private:
  std::vector<double> of_rank_;
};

}  // namespace tempera::detail
