#pragma once

#include "core/sampling/target.hpp"

namespace tempera {

class OptionSchema;

struct GaussianOptions {
  Index dim = 1;
  double precision = 10;
  void declare(OptionSchema& schema);
};

/// Reference N(0, I), likelihood exp(−(precision − 1)|x|²/2): the posterior is N(0, I/precision), and the rung β is
/// Gaussian with precision 1 + β (precision − 1). Everything about tempering it is known in closed form.
class GaussianTarget final : public Target {
 public:
  using Options = GaussianOptions;
  explicit GaussianTarget(const GaussianOptions& options);

  using Target::evaluate;
  LogDensity evaluate(std::span<const double> u, std::span<double> reference_gradient,
                      std::span<double> likelihood_gradient) override;
  bool has_gradient() const override { return true; }
  bool samples_reference() const override { return true; }
  bool normalised_reference() const override { return true; }
  void sample_reference(RandomStream& stream, std::span<double> u) override;
  std::unique_ptr<Target> clone() const override { return std::make_unique<GaussianTarget>(*this); }

  /// Exact: −(dim/2) log precision.
  double log_evidence() const;

 private:
  double excess_;  // precision − 1
  double log_normalisation_;
};

}  // namespace tempera
