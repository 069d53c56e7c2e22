#pragma once

#include "core/sampling/explorers/detail/leapfrog_explorer.hpp"

namespace tempera {

class OptionSchema;

struct HmcOptions {
  double length = 1.5;
  double jitter = 0.5;
  int max_leapfrogs = 1000;
  double target = 0.8;
  bool dense = false;
  void declare(OptionSchema& schema);
};

/// Hamiltonian Monte Carlo (Duane et al. 1987; Neal 2011) along paths of a fixed length, in units of the metric (a normal
/// of the metric's covariance has the period 2π), times a uniform factor in [1 − jitter, 1 + jitter], so that no period is met
/// for ever. The metric is the diagonal of the scales, or the covariance if `dense`. The step size aims at a mean
/// acceptance `target`; it begins by Hoffman & Gelman's heuristic.
/// Cost: length/step gradients a step and one more at its start, d (dense: d²) multiply-adds each.
class HmcExplorer final : public LeapfrogExplorer {
 public:
  using Options = HmcOptions;
  explicit HmcExplorer(const HmcOptions& options = {})
      : LeapfrogExplorer({2, options.target, options.dense}), options_(options) {}

  std::unique_ptr<Explorer> clone() const override { return std::make_unique<HmcExplorer>(*this); }
  StepRecord step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point, RandomStream& stream) override;
  bool has_energy() const override { return true; }

 private:
  HmcOptions options_;
  PhasePoint phase_;
};

}  // namespace tempera
