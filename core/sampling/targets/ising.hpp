#pragma once

#include "core/sampling/target.hpp"

namespace tempera {

class OptionSchema;

struct IsingOptions {
  Index size = 8;
  double beta = 0.44068679350977147;  // critical: log(1 + √2)/2
  void declare(OptionSchema& schema);
};

/// Ising spins on a periodic size × size lattice, likelihood exp(beta Σ s_i s_j) over neighbours (on a lattice of size
/// two each pair counts twice). A spin is the sign of an unconstrained coordinate whose reference is N(0, 1), which gives
/// both signs probability ½; the density is constant within each orthant, so there is no gradient to follow, and θ holds
/// the spins.
class IsingTarget final : public Target {
 public:
  using Options = IsingOptions;
  explicit IsingTarget(const IsingOptions& options);

  using Target::evaluate;
  LogDensity evaluate(std::span<const double> u, std::span<double> reference_gradient,
                      std::span<double> likelihood_gradient) override;
  bool samples_reference() const override { return true; }
  bool normalised_reference() const override { return true; }
  void sample_reference(RandomStream& stream, std::span<double> u) override;
  /// θ_i = ±1.
  void constrain(std::span<const double> u, std::span<double> theta) const override;
  /// u_i = θ_i. @throws Error{Category::input} for an entry that is not ±1
  void unconstrain(std::span<const double> theta, std::span<double> u) const override;
  std::unique_ptr<Target> clone() const override { return std::make_unique<IsingTarget>(*this); }

  /// Exact, by Kaufman's formula for the finite periodic lattice, − size² log 2. Kaufman 1949, eq. 68.
  double log_evidence() const;

 private:
  Index size_;
  double beta_;
};

}  // namespace tempera
