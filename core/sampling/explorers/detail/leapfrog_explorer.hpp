#pragma once

#include "core/sampling/explorers/detail/leapfrog.hpp"
#include "core/sampling/explorers/detail/step_size.hpp"

namespace tempera {

/// What explorers that make leapfrog steps share: gradients, a metric that is the diagonal of the scales, or the covariance
/// if `dense`, and a step size that begins by Hoffman & Gelman's heuristic and follows an acceptance law.
class LeapfrogExplorer : public SteppingExplorer {
 public:
  bool needs_gradient() const final { return true; }
  bool wants_covariance() const final { return law_.dense; }

 protected:
  explicit LeapfrogExplorer(const AcceptanceLaw& law) : law_(law) {}

  Metric metric_of(const ChainTuning& tuning) const { return {tuning, law_.dense}; }
  double first_step_size(PathDensity& density, const ChainTuning& tuning, const SamplePoint& point,
                         RandomStream& stream) final {
    return first_leapfrog_step(density, metric_of(tuning), point, stream);
  }
  double next_step_size(double step, const StepSizeUse& use, const ChainTuning& before,
                        const ChainTuning& after) const override {
    return law_.next(step, use, before, after);
  }

 private:
  AcceptanceLaw law_;
};

}  // namespace tempera
