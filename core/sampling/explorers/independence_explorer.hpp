#pragma once

#include "core/sampling/explorers/detail/approximation.hpp"

namespace tempera {

struct IndependenceOptions : ApproximationOptions {
  int proposals = 4;  ///< a step
  void declare(OptionSchema& schema);
};

/// Metropolis–Hastings with independent proposals (Tierney 1994) from a multivariate t (a normal, `degrees=normal`) with the
/// means and the covariance, or the scales, of the chain. A density with heavier tails than the proposals keeps the chain in
/// its tails for long. Cost besides the density: d normals, a gamma draw and d²/2 multiply-adds a proposal.
class IndependenceExplorer final : public Explorer {
 public:
  using Options = IndependenceOptions;
  explicit IndependenceExplorer(const IndependenceOptions& options = {}) : options_(options) {}

  std::unique_ptr<Explorer> clone() const override { return std::make_unique<IndependenceExplorer>(*this); }
  StepRecord step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point, RandomStream& stream) override;
  bool wants_covariance() const override { return !options_.diagonal; }

 private:
  IndependenceOptions options_;
  std::vector<double> z_, u_;
};

}  // namespace tempera
