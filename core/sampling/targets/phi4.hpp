#pragma once

#include "core/sampling/target.hpp"

namespace tempera {

class OptionSchema;

struct Phi4Options {
  Index size = 8;
  double hopping = 0.2;
  double coupling = 0.5;
  void declare(OptionSchema& schema);
};

/// Scalar field on a periodic size × size lattice with the action S = Σ [φ² + coupling (φ² − 1)²] − 2 hopping Σ φ_i φ_j
/// (the second sum over bonds; on a lattice of size two each pair counts twice). The reference is exp(−Σ φ²)
/// normalised, N(0, ½) at every site; the likelihood holds the coupling and the hopping, without its volume factor: the
/// log evidence is log ∫ e^−S − (size²/2) log π. Two modes, φ and −φ, where the hopping is strong.
/// Montvay & Münster 1994, "Quantum Fields on a Lattice", eq. 2.2 (κ = hopping, λ = coupling).
class Phi4Target final : public Target {
 public:
  using Options = Phi4Options;
  /// @throws Error{Category::usage} if the density has no integral: coupling 0 and hopping ≥ ¼
  explicit Phi4Target(const Phi4Options& options);

  using Target::evaluate;
  LogDensity evaluate(std::span<const double> u, std::span<double> reference_gradient,
                      std::span<double> likelihood_gradient) override;
  bool has_gradient() const override { return true; }
  bool samples_reference() const override { return true; }
  bool normalised_reference() const override { return true; }
  void sample_reference(RandomStream& stream, std::span<double> u) override;
  std::unique_ptr<Target> clone() const override { return std::make_unique<Phi4Target>(*this); }

 private:
  std::size_t size_;
  double hopping_;
  double coupling_;
};

}  // namespace tempera
