#pragma once

#include "core/sampling/explorer.hpp"

namespace tempera {

class OptionSchema;

struct SliceOptions {
  bool random_directions = false;  ///< in place of coordinates
  int passes = 1;                  ///< a step
  void declare(OptionSchema& schema);
};

/// Slice sampling along lines, with the doubling procedure (Neal 2003, figures 4 to 6).
///
/// A pass takes every coordinate once, in random order, or as many random directions (normal, in units of the scales).
/// Intervals begin with four times the scale and double at most 20 times; they shrink until a point is inside the slice, or,
/// where rounding leaves none, the point stays. Nothing has to be tuned: wrong scales cost evaluations, not validity.
/// Cost: about 6 evaluations a coordinate where the scales are right.
class SliceExplorer final : public Explorer {
 public:
  using Options = SliceOptions;
  explicit SliceExplorer(const SliceOptions& options = {}) : options_(options) {}

  std::unique_ptr<Explorer> clone() const override { return std::make_unique<SliceExplorer>(*this); }
  StepRecord step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point, RandomStream& stream) override;

 private:
  void pass(PathDensity& density, std::span<const double> scales, SamplePoint& point, RandomStream& stream);

  SliceOptions options_;
  std::vector<std::size_t> order_;
  std::vector<double> origin_, direction_;
};

}  // namespace tempera
