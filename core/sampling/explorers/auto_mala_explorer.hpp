#pragma once

#include <optional>

#include "core/sampling/explorers/detail/leapfrog_explorer.hpp"

namespace tempera {

class OptionSchema;

struct AutoMalaOptions {
  std::optional<int> moves;  ///< a step; 3⌈d^0.35⌉ unless given
  void declare(OptionSchema& schema);
};

/// autoMALA (Biron-Lattes, Surjanovic, Syed, Campbell & Bouchard-Côté 2024): Langevin moves that choose their step size
/// where they are. A move draws a momentum and two thresholds, log a < log b < 0. With ℓ the logarithm of the acceptance
/// ratio of one leapfrog step, it doubles the base step while |ℓ| < |log b| and goes back by one, or halves it until
/// |ℓ| < |log a|; it is rejected if the same choice from its end, backwards, would not take the same step. With ℓ in the
/// place of −|ℓ|, as in the paper, a move uphill from far outside is never the one that would be chosen back, and such a chain
/// stays there; the symmetric choice is that of Liu, Surjanovic, Biron-Lattes, Bouchard-Côté & Campbell 2025, "AutoStep".
///
/// The metric of a move is diagonal, 1/(η/scale + (1 − η)/g) with g the geometric mean of the scales and η 0, 1 or uniform
/// in between with probability 1/3 each (the paper has 1 for g, so that its moves depend on the unit of the coordinates).
/// The base step of the next round is the geometric mean of the steps chosen in this one; it begins by Hoffman & Gelman's
/// heuristic. Cost: a gradient for each choice tried, two or three a move where the base step is good, one more a step: where
/// one step size serves everywhere, three to five times as much for an effective draw as MalaExplorer.
class AutoMalaExplorer final : public LeapfrogExplorer {
 public:
  using Options = AutoMalaOptions;
  explicit AutoMalaExplorer(const AutoMalaOptions& options = {}) : LeapfrogExplorer({.order = 3}), options_(options) {}

  std::unique_ptr<Explorer> clone() const override { return std::make_unique<AutoMalaExplorer>(*this); }
  StepRecord step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point, RandomStream& stream) override;

 protected:
  double next_step_size(double step, const StepSizeUse& use, const ChainTuning& before,
                        const ChainTuning& after) const override;

 private:
  struct Move;

  void mix_metric(std::span<const double> scales, RandomStream& stream);

  AutoMalaOptions options_;
  std::vector<double> mixed_scales_;
  PhasePoint here_, there_, back_, spare_;
};

}  // namespace tempera
