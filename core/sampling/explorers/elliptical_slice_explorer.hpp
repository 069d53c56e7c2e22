#pragma once

#include "core/sampling/explorers/detail/approximation.hpp"

namespace tempera {

struct EllipticalSliceOptions : ApproximationOptions {
  int passes = 4;  ///< a step
  void declare(OptionSchema& schema);
};

/// Elliptical slice sampling (Murray, Adams & MacKay 2010) of any density, in the generalised form of Nishihara, Murray &
/// Adams 2014, algorithm 2: the density is an approximation times a rest, and the slice is that of the rest along an ellipse
/// through the point and a draw of the approximation. That is a multivariate t (a normal, `degrees=normal`) with the means
/// and the covariance, or the scales, of the chain. Valid whatever they are; the better they are, the fewer evaluations.
///
/// Nothing is rejected and there is no step size. Cost: 1 to 4 evaluations a pass where the approximation is good, each
/// d²/2 (diagonal: d) multiply-adds besides the density.
class EllipticalSliceExplorer final : public Explorer {
 public:
  using Options = EllipticalSliceOptions;
  explicit EllipticalSliceExplorer(const EllipticalSliceOptions& options = {}) : options_(options) {}

  std::unique_ptr<Explorer> clone() const override { return std::make_unique<EllipticalSliceExplorer>(*this); }
  StepRecord step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point, RandomStream& stream) override;
  bool wants_covariance() const override { return !options_.diagonal; }

 private:
  EllipticalSliceOptions options_;
  std::vector<double> here_, partner_, there_, u_;  // all but the last in the coordinates of the approximation
};

}  // namespace tempera
