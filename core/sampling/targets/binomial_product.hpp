#pragma once

#include "core/sampling/target.hpp"

namespace tempera {

class OptionSchema;

struct BinomialProductOptions {
  std::int64_t trials = 100;
  std::int64_t successes = 50;
  void declare(OptionSchema& schema);
};

/// successes ~ Binomial(trials, p1 p2) with uniform p1 and p2: only the product is identified, the posterior is a thin
/// ridge p1 p2 ≈ successes/trials. Evaluated in u without 1 − p1 p2 cancelling.
class BinomialProductTarget final : public Target {
 public:
  using Options = BinomialProductOptions;
  /// @throws Error{Category::usage} if there are more successes than trials
  explicit BinomialProductTarget(const BinomialProductOptions& options);

  using Target::evaluate;
  LogDensity evaluate(std::span<const double> u, std::span<double> reference_gradient,
                      std::span<double> likelihood_gradient) override;
  bool has_gradient() const override { return true; }
  bool samples_reference() const override { return true; }
  bool normalised_reference() const override { return true; }
  void sample_reference(RandomStream& stream, std::span<double> u) override;
  std::unique_ptr<Target> clone() const override { return std::make_unique<BinomialProductTarget>(*this); }

  /// Exact: the density of p1 p2 at p is −log p, so Z = (ψ(n + 2) − ψ(y + 1))/(n + 1). Cost: trials − successes terms.
  double log_evidence() const;

 private:
  double successes_;
  double failures_;
  double log_choices_;
};

}  // namespace tempera
