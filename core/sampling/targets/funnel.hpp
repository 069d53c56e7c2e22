#pragma once

#include "core/sampling/target.hpp"

namespace tempera {

class OptionSchema;

struct FunnelOptions {
  Index dim = 10;
  void declare(OptionSchema& schema);
};

/// Neal's funnel, v ~ N(0, 3²) and dim − 1 coordinates x_i ~ N(0, e^v), all normalised. The reference is N(0, 3²) in
/// every coordinate, the likelihood the ratio of the two, so log Z = 0 and v keeps its distribution.
/// Neal 2003, "Slice sampling", §8.
class FunnelTarget final : public Target {
 public:
  using Options = FunnelOptions;
  explicit FunnelTarget(const FunnelOptions& options);

  using Target::evaluate;
  LogDensity evaluate(std::span<const double> u, std::span<double> reference_gradient,
                      std::span<double> likelihood_gradient) override;
  bool has_gradient() const override { return true; }
  bool samples_reference() const override { return true; }
  bool normalised_reference() const override { return true; }
  void sample_reference(RandomStream& stream, std::span<double> u) override;
  std::unique_ptr<Target> clone() const override { return std::make_unique<FunnelTarget>(*this); }

  /// Exact.
  double log_evidence() const { return 0; }
};

}  // namespace tempera
