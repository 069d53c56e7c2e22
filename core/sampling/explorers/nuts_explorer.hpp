#pragma once

#include "core/sampling/explorers/detail/leapfrog_explorer.hpp"

namespace tempera {

class OptionSchema;

struct NutsOptions {
  int max_depth = 10;
  double target = 0.8;
  bool dense = false;
  void declare(OptionSchema& schema);
};

/// The no-U-turn sampler (Hoffman & Gelman 2014) as in Stan: states drawn from the path by multinomial weights, biased
/// towards the later half at each doubling, and the generalised criterion on the whole path, on every subtree, and on each
/// half with the first state of the other (Betancourt 2017, "A conceptual introduction to Hamiltonian Monte Carlo",
/// appendix A). A path ends at max_depth doublings, or where its energy is off by more than 1000 (divergence).
///
/// The metric is the diagonal of the scales, or the covariance if `dense`. The step size aims at a mean acceptance
/// `target`, averaged over the path; it begins by Hoffman & Gelman's heuristic.
/// Cost: at most 2^max_depth − 1 gradients a step and one more at its start, about 10 d (dense: d²) multiply-adds each;
/// 4 d max_depth doubles of scratch.
class NutsExplorer final : public LeapfrogExplorer {
 public:
  using Options = NutsOptions;
  explicit NutsExplorer(const NutsOptions& options = {})
      : LeapfrogExplorer({2, options.target, options.dense}), options_(options) {}

  std::unique_ptr<Explorer> clone() const override { return std::make_unique<NutsExplorer>(*this); }
  StepRecord step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point, RandomStream& stream) override;
  bool has_energy() const override { return true; }

 private:
  /// A stretch of a path, ordered as it was made.
  struct Stretch {
    std::vector<double> momentum_sum, first_momentum, last_momentum;
    std::vector<double> proposal;
    LogDensity density;
    double log_weight = 0;  ///< of all its states, relative to the start

    void resize(std::size_t dimension);
  };
  class Path;

  NutsOptions options_;
  PhasePoint front_, back_;
  Stretch whole_, more_;
  std::vector<Stretch> halves_;  ///< the second half of a stretch of 2, 4, … states
};

}  // namespace tempera
