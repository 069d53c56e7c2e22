#pragma once

#include <optional>

#include "core/sampling/explorer.hpp"

namespace tempera {

class OptionSchema;

struct RandomWalkOptions {
  std::optional<int> proposals;  ///< a step; one for each coordinate unless given
  bool componentwise = false;
  bool diagonal = false;  ///< no covariance
  std::optional<double> target;
  void declare(OptionSchema& schema);
};

/// Random-walk Metropolis with normal proposals whose covariance is that of the chain (Haario, Saksman & Tamminen 2001),
/// learnt between rounds. Proposals from a point u: u + step·L z, or step·scales·z where there is no covariance.
/// Componentwise: a pass over the coordinates in random order, each with a proposal step·scale·z of its own.
///
/// The step size is dimensionless and begins at 2.38/√d (2.38 componentwise). It aims at a mean acceptance of
/// 0.234 + 0.206/d (0.44 in one dimension and componentwise; Gelman, Roberts & Gilks 1996, table 1, within 0.02).
/// Mixing takes of the order of d proposals; a step makes d of them (as many passes, componentwise, as `proposals` says,
/// 1 by default). Cost besides the density: d normals and d²/2 multiply-adds a proposal.
class RandomWalkExplorer final : public SteppingExplorer {
 public:
  using Options = RandomWalkOptions;
  explicit RandomWalkExplorer(const RandomWalkOptions& options = {}) : options_(options) {}

  std::unique_ptr<Explorer> clone() const override { return std::make_unique<RandomWalkExplorer>(*this); }
  StepRecord step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point, RandomStream& stream) override;
  bool wants_covariance() const override { return !options_.diagonal && !options_.componentwise; }

 protected:
  double first_step_size(PathDensity& density, const ChainTuning& tuning, const SamplePoint& point,
                         RandomStream& stream) override;
  double next_step_size(double step, const StepSizeUse& use, const ChainTuning& before,
                        const ChainTuning& after) const override;

 private:
  double move_all(PathDensity& density, const ChainTuning& tuning, int proposals, SamplePoint& point,
                  RandomStream& stream);
  double pass(PathDensity& density, const ChainTuning& tuning, SamplePoint& point, RandomStream& stream);

  RandomWalkOptions options_;
  std::vector<double> proposal_, normals_;
  std::vector<std::size_t> order_;
};

}  // namespace tempera
