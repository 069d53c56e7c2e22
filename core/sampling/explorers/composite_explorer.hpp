#pragma once

#include <memory>
#include <vector>

#include "core/sampling/explorer.hpp"

namespace tempera {

/// What explorers made of others have in common.
class CompositeExplorer : public Explorer {
 public:
  bool needs_gradient() const final;
  bool wants_covariance() const final;
  bool has_energy() const final;
  int step_size_count() const final;
  std::vector<double> first_step_sizes(PathDensity& density, const ChainTuning& tuning, const SamplePoint& point,
                                       RandomStream& stream) final;
  std::vector<double> next_step_sizes(const ChainTuning& before, const ChainTuning& after,
                                      const ChainReport& report) const final;
  void place_step_sizes(int place) final;

 protected:
  explicit CompositeExplorer(std::vector<std::unique_ptr<Explorer>> parts);
  std::vector<std::unique_ptr<Explorer>> clone_parts() const;

  std::vector<std::unique_ptr<Explorer>> parts_;
};

/// A step is one of each explorer, in order. Tierney 1994.
class CycleExplorer final : public CompositeExplorer {
 public:
  /// @pre there is a part, none is null
  /// @throws Error{Category::usage} if the parts have more than kMostStepSizes step sizes
  explicit CycleExplorer(std::vector<std::unique_ptr<Explorer>> parts) : CompositeExplorer(std::move(parts)) {}

  std::unique_ptr<Explorer> clone() const override { return std::make_unique<CycleExplorer>(clone_parts()); }
  /// Acceptance is the mean over the parts, proposals are their sum, the energy that of the last part that has one.
  StepRecord step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point, RandomStream& stream) override;
};

/// A step is one of an explorer drawn at random, whatever the point. Tierney 1994.
class MixtureExplorer final : public CompositeExplorer {
 public:
  /// @param weights  one a part, in any unit
  /// @pre there is a part, none is null
  /// @throws Error{Category::usage} if the parts have more than kMostStepSizes step sizes, and unless the weights are finite,
  ///         nonnegative and not all zero
  MixtureExplorer(std::vector<std::unique_ptr<Explorer>> parts, std::vector<double> weights);

  std::unique_ptr<Explorer> clone() const override {
    return std::make_unique<MixtureExplorer>(clone_parts(), weights_);
  }
  StepRecord step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point, RandomStream& stream) override;

 private:
  std::vector<double> weights_;
};

}  // namespace tempera
