#pragma once

#include <Eigen/Core>

#include "core/gaussian_process/gaussian_process.hpp"

namespace tempera {

/// Derivatives of a log evidence by θ, the noise's variance and the constant's variance.
struct EvidenceGradient {
  Eigen::VectorXd theta;
  double noise = 0;
  double constant = 0;
};

/// The posterior of f + m given n values, with the whole factor of the covariance matrix here.
///
/// Jitter of 1e-10 of the prior variance is added to the diagonal; where the matrix is not positive definite, ten times as
/// much each time, up to 1e-4. Memory n² doubles. Functions that predict are thread-safe.
class ExactGp final : public GaussianProcess {
 public:
  /// Cost n³/3. @pre n ≥ 0 finite values, a point each
  /// @throws Error{numerical} naming the two closest points if the jitter does not help
  ExactGp(GpModel model, Eigen::MatrixXd points, Eigen::VectorXd values);
  /// With a factor that was computed elsewhere. Cost n².
  /// @param factor  L of the covariance matrix of the model and the points, with `jitter` on its diagonal
  ExactGp(GpModel model, Eigen::MatrixXd points, Eigen::VectorXd values, Eigen::MatrixXd factor, double jitter);
  std::unique_ptr<GaussianProcess> clone() const override { return std::make_unique<ExactGp>(*this); }

  /// Cost n² a row: one after the other or together are the same to rounding only.
  void append(const Eigen::MatrixXd& points, const Eigen::VectorXd& values) override;
  /// Other values at the same points. Cost n².
  void set_values(Eigen::VectorXd values);

  /// log N(y; 0, K).
  double log_evidence() const;
  /// Means and variances of each y (with its noise) given all the others: y − α_i/K⁻¹_ii, 1/K⁻¹_ii (Rasmussen & Williams
  /// 2006, eq. 5.12). Cost 2n³/3.
  void leave_one_out(Eigen::VectorXd& mean, Eigen::VectorXd& variance) const;

 private:
  void divide_by_factor(Eigen::MatrixXd& columns) const override;
  void divide_by_transposed_factor(Eigen::MatrixXd& columns) const override;
  void factor();
  void solve_weights();
  auto l() const { return store_.topLeftCorner(size(), size()); }

  Eigen::MatrixXd store_;  // L, with room for more rows
};

}  // namespace tempera
