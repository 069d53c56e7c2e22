#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/sampling/explorer.hpp"
#include "core/sampling/target.hpp"

namespace tempera {

/// A normal density over unconstrained space.
class GaussianApproximation {
 public:
  /// Means, and the covariance factor or, where that is empty, the scales.
  explicit GaussianApproximation(const ChainTuning& tuning);

  /// Normalised. @param gradient overwritten; empty: not wanted. @param scratch dimension entries
  /// Cost O(d²), O(d) without correlations.
  double log_density(std::span<const double> u, std::span<double> gradient, std::span<double> scratch) const;
  void draw(RandomStream& stream, std::span<double> u) const;

 private:
  std::vector<double> means_, scales_;
  std::vector<double> factor_, inverse_;  ///< lower triangles, row-major, or empty
  double log_constant_ = 0;
};

/// A target on the path that begins at a normal density q in place of the prior: reference = log q, likelihood = log prior
/// + log likelihood − log q. q is normalised and can be sampled, so that evidences are absolute whatever the prior is
/// like. Surjanovic, Syed, Bouchard-Côté & Campbell 2022 (variational reference).
class GaussianReferenceTarget final : public Target {
 public:
  /// Clones `inner`; begins with a standard normal.
  explicit GaussianReferenceTarget(const Target& inner);
  GaussianReferenceTarget(const GaussianReferenceTarget& other);

  /// From here on. Densities of points that were evaluated before are no longer current.
  void set_reference(std::shared_ptr<const GaussianApproximation> reference) { reference_ = std::move(reference); }

  using Target::evaluate;
  LogDensity evaluate(std::span<const double> u, std::span<double> reference_gradient,
                      std::span<double> likelihood_gradient) override;
  bool has_gradient() const override { return inner_->has_gradient(); }
  bool samples_reference() const override { return true; }
  bool normalised_reference() const override { return true; }
  void sample_reference(RandomStream& stream, std::span<double> u) override { reference_->draw(stream, u); }
  void constrain(std::span<const double> u, std::span<double> theta) const override { inner_->constrain(u, theta); }
  void unconstrain(std::span<const double> theta, std::span<double> u) const override { inner_->unconstrain(theta, u); }
  std::unique_ptr<Target> clone() const override { return std::make_unique<GaussianReferenceTarget>(*this); }

 private:
  std::unique_ptr<Target> inner_;
  std::shared_ptr<const GaussianApproximation> reference_;
  std::vector<double> scratch_, gradient_;
};

}  // namespace tempera
