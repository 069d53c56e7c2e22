#pragma once

#include "core/sampling/target.hpp"

namespace tempera {

class OptionSchema;

struct MixtureOptions {
  Index dim = 2;
  Index modes = 20;
  double sd = 0.1;
  double side = 10;
  std::int64_t seed = 0;
  void declare(OptionSchema& schema);
};

/// Gaussians of equal weight and standard deviation in the cube [0, side]^dim, normalised as if unbounded. The
/// reference is uniform on the cube through interval transforms. The centres are drawn once from their seed, uniformly
/// on the cube without a rim of six standard deviations, so that no mode loses mass to the walls and all weigh the
/// same (side ≤ 12 sd: all lie in the middle).
/// Cost: modes·dim multiply-adds and about one exponential a mode and coordinate.
class MixtureTarget final : public Target {
 public:
  using Options = MixtureOptions;
  explicit MixtureTarget(const MixtureOptions& options);

  using Target::evaluate;
  LogDensity evaluate(std::span<const double> u, std::span<double> reference_gradient,
                      std::span<double> likelihood_gradient) override;
  bool has_gradient() const override { return true; }
  bool samples_reference() const override { return true; }
  bool normalised_reference() const override { return true; }
  void sample_reference(RandomStream& stream, std::span<double> u) override;
  std::unique_ptr<Target> clone() const override { return std::make_unique<MixtureTarget>(*this); }

  /// Coordinate `entry` of the centre of a mode, in (0, side). @pre 0 ≤ mode < modes, 0 ≤ entry < dim
  double centre(Index mode, Index entry) const;
  /// Exact: log of the mixture's mass in the cube − dim log side.
  double log_evidence() const;

 private:
  double log_likelihood();
  void likelihood_gradient_from_distances(std::span<double> gradient);

  std::size_t modes_;
  double sd_;
  double side_;
  double log_normalisation_;     // of one mode, with its weight
  std::vector<double> centres_;  // dim × modes
  std::vector<double> point_;    // x(u)
  std::vector<double> slope_;    // ∂x/∂u
  std::vector<double> weight_;   // a mode: first the squared distance, then its share of the density
};

}  // namespace tempera
