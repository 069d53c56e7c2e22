#pragma once

#include "core/sampling/explorer.hpp"

namespace tempera {

/// Slice sampling along lines, with the doubling procedure (Neal 2003, figures 4 to 6).
///
/// A pass takes every coordinate once, in random order, or as many random directions (normal, in units of the scales).
/// Intervals begin with twice the scale and double at most 20 times; they shrink until a point is inside the slice, or,
/// where rounding leaves none, the point stays. Nothing has to be tuned: wrong scales cost evaluations, not validity.
/// Cost: about 5 evaluations a coordinate where the scales are right.
class SliceExplorer final : public Explorer {
 public:
  enum class Lines { coordinates, random_directions };

  explicit SliceExplorer(Lines lines = Lines::coordinates, int passes = 1) : lines_(lines), passes_(passes) {}

  std::unique_ptr<Explorer> clone() const override { return std::make_unique<SliceExplorer>(lines_, passes_); }
  StepRecord step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point, RandomStream& stream) override;

 private:
  void pass(PathDensity& density, std::span<const double> scales, SamplePoint& point, RandomStream& stream);

  Lines lines_;
  int passes_;
  std::vector<std::size_t> order_;
  std::vector<double> origin_, direction_;
};

}  // namespace tempera
