#pragma once

#include <Eigen/Core>
#include <memory>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// The constants of the strategy for n coordinates and λ points a generation: Hansen 2016, "The CMA evolution strategy: a
/// tutorial", table 1.
struct CmaConstants {
  CmaConstants(Index dimensions, Index population);
  /// 4 + ⌊3 ln n⌋
  static Index default_population(Index dimensions);

  Index dimensions, population;
  Eigen::VectorXd weights;  ///< of the ranks, the best first: the first half positive, of sum 1; the others ≤ 0
  double effective_parents;
  double c_sigma, d_sigma, c_c, c_1, c_mu;
  double expected_norm;  ///< of n standard normals
};

/// A normal distribution that points are drawn from: mean + σ · stretch ∘ (transform · z).
struct CmaDistribution {
  Eigen::VectorXd mean;
  double sigma = 1;
  Eigen::VectorXd stretch;                             ///< of each coordinate; all 1 unless somebody changes it
  std::shared_ptr<const Eigen::MatrixXd> transform{};  ///< B · diag(D), where C = B D² Bᵀ as it was decomposed last

  /// @param normals  n standard normals
  Eigen::VectorXd point(const Eigen::VectorXd& normals) const;
};

/// CMA-ES, the whole of it (Hansen 2016): weighted recombination with negative weights (active covariance), rank-one and
/// rank-µ updates, cumulative step-size adaptation. Knows the order of values only, and draws no random numbers.
/// Cost of a generation: λ n², and n³ in one of about n/10 of them.
class CmaEs {
 public:
  /// @pre population ≥ 2, sigma > 0
  CmaEs(const Eigen::VectorXd& mean, double sigma, Index population);

  const CmaConstants& constants() const { return constants_; }
  const CmaDistribution& distribution() const { return now_; }
  Index generation() const { return generation_; }

  /// @param points  n × λ, the best first
  /// @param foreign  of each: whether it was drawn from another distribution than this one. Such a point may lie far off;
  ///                its distance is cut to what drawn ones have (Hansen 2011, "Injecting external solutions into CMA-ES").
  void update(const Eigen::MatrixXd& points, const std::vector<bool>& foreign);

  /// Standard deviation of a coordinate without its stretch: σ √C_ii.
  double deviation(Index coordinate) const { return now_.sigma * std::sqrt(covariance_(coordinate, coordinate)); }
  /// Moves a coordinate of the mean, and stretches the coordinate from here on.
  void set_marginal(Index coordinate, double mean, double stretch);

  /// How far a coordinate may still be expected to move in a generation.
  double reach(Index coordinate) const;
  /// Nothing can come any more: the covariance is as good as singular, the step has grown without bound, or steps are lost in
  /// rounding. Why, or null.
  const char* breakdown() const;

 private:
  void decompose();

  CmaConstants constants_;
  CmaDistribution now_;
  double first_sigma_;
  Eigen::MatrixXd covariance_;
  Eigen::MatrixXd axes_;     // B
  Eigen::VectorXd lengths_;  // D
  Eigen::VectorXd sigma_path_, covariance_path_;
  Index generation_ = 0;
  Index decomposed_at_ = 0;
};

}  // namespace tempera
