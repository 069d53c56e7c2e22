#pragma once

#include "core/sampling/target.hpp"

namespace tempera {

class OptionSchema;

struct RosenbrockOptions {
  Index dim = 2;
  Index length = 1;
  double scale = 10;
  void declare(OptionSchema& schema);
};

/// The hybrid Rosenbrock density: x_0 ~ N(1, 10); each other coordinate x_i ~ N(p², 1/10) where the parent p is x_0 for
/// every `length`-th one and x_{i−1} for the rest, so that the dim − 1 others make arms of this length. With dim = 2
/// it is exp(−(100 (x_1 − x_0²)² + (1 − x_0)²)/20) normalised. The reference is N(0, scale²) in every coordinate, the
/// likelihood the ratio of the two, so log Z = 0. Mean and variance are 1 and 10 for x_0, 11 and 240.1 for a child of x_0.
/// Pagani, Wiegand & Nadarajah 2022, "An n-dimensional Rosenbrock distribution for MCMC testing", eq. 6.
class RosenbrockTarget final : public Target {
 public:
  using Options = RosenbrockOptions;
  explicit RosenbrockTarget(const RosenbrockOptions& options);

  using Target::evaluate;
  LogDensity evaluate(std::span<const double> u, std::span<double> reference_gradient,
                      std::span<double> likelihood_gradient) override;
  bool has_gradient() const override { return true; }
  bool samples_reference() const override { return true; }
  bool normalised_reference() const override { return true; }
  void sample_reference(RandomStream& stream, std::span<double> u) override;
  std::unique_ptr<Target> clone() const override { return std::make_unique<RosenbrockTarget>(*this); }

  /// Exact.
  double log_evidence() const { return 0; }

 private:
  std::size_t parent(std::size_t i) const { return (i - 1) % length_ == 0 ? 0 : i - 1; }

  std::size_t length_;
  double scale_;
};

}  // namespace tempera
