#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/bayesopt/gp_fit.hpp"
#include "core/bayesopt/gp_surrogate.hpp"

namespace tempera {

/// A Gaussian process of one quantity that follows its growing history. Below 100 values the hyperparameters are found anew
/// after each; then when there are 5 % more, when a value is not one that the warp covers, or when the values since predict
/// worse than they should: Σ ½(z² − 1) of their k standardised errors, of mean 0 and variance k/2, above 3 standard deviations.
/// In between rows are appended. At 100, 200, 400, … values they are looked for from scratch, else from where they were.
///
/// So what it gives is a function of the history, as if its values had been told one by one, and not of when it was asked. One
/// without a past goes through half of a long history at most.
class FollowedGp {
 public:
  /// @param kernels  of which the likeliest is taken
  /// @param seed     of the fits, together with the number of values
  FollowedGp(std::vector<KernelPointer> kernels, GpFitOptions options, std::uint64_t seed)
      : kernels_(std::move(kernels)), options_(std::move(options)), seed_(seed) {}

  /// @param points  features of a trial a row; usually those of the call before and some more
  /// @pre at least one, finite values
  void follow(const Eigen::MatrixXd& points, std::span<const double> values, ModelTeam& team);

  /// @pre followed something; so for all below
  const FittedGp& fit() const { return *fit_; }
  const std::vector<std::shared_ptr<GaussianProcess>>& processes() const { return processes_; }
  /// The number of values at which the hyperparameters were found.
  Index fitted() const { return fitted_; }
  bool spread() const { return spread_; }

  static constexpr Index kAlwaysBelow = 100;
  static constexpr double kGrowth = 1.05;  ///< of the number of values, from one fit to the next beyond

 private:
  bool continues(const Eigen::MatrixXd& points, std::span<const double> values) const;
  void find(Index size, ModelTeam& team, bool from_scratch);
  void take(Index number, ModelTeam& team);

  std::vector<KernelPointer> kernels_;
  GpFitOptions options_;
  std::uint64_t seed_;
  Eigen::MatrixXd points_;
  std::vector<double> values_;
  Index size_ = 0;  ///< values that the processes know
  Index fitted_ = 0;
  double surprise_ = 0;  ///< of the values since
  bool spread_ = false;
  std::optional<FittedGp> fit_;
  std::vector<std::shared_ptr<GaussianProcess>> processes_;
};

}  // namespace tempera
