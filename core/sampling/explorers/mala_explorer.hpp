#pragma once

#include <optional>

#include "core/sampling/explorers/detail/leapfrog_explorer.hpp"

namespace tempera {

class OptionSchema;

struct MalaOptions {
  std::optional<int> moves;  ///< a step; 3⌈d^0.35⌉ unless given
  double target = 0.574;
  bool dense = false;
  void declare(OptionSchema& schema);
};

/// The Metropolis-adjusted Langevin algorithm (Roberts & Tweedie 1996) with a step size that holds for a round: a leapfrog
/// step from a fresh momentum, which is the same thing. The metric is the diagonal of the scales, or the covariance if
/// `dense`. The step size aims at a mean acceptance `target` (Roberts & Rosenthal 1998); it begins by Hoffman & Gelman's
/// heuristic. Cost: a gradient a move and one more a step.
class MalaExplorer final : public LeapfrogExplorer {
 public:
  using Options = MalaOptions;
  explicit MalaExplorer(const MalaOptions& options = {})
      : LeapfrogExplorer({3, options.target, options.dense}), options_(options) {}

  std::unique_ptr<Explorer> clone() const override { return std::make_unique<MalaExplorer>(*this); }
  StepRecord step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point, RandomStream& stream) override;

 private:
  MalaOptions options_;
  PhasePoint here_, there_;
};

}  // namespace tempera
