#pragma once

#include <Eigen/Core>

#include "core/base/error.hpp"
#include "core/gaussian_process/kernel.hpp"

namespace tempera {

/// y = m + f(x) + ε with f ~ GP(0, k(·,·; θ)), ε ~ N(0, noise), and the constant m ~ N(0, constant) integrated out.
struct GpModel {
  KernelPointer kernel;
  Eigen::VectorXd theta;  ///< of the kernel
  double noise = 1e-6;    ///< variance
  double constant = 0;    ///< variance; 0: the mean is 0
};

/// Derivatives of a log evidence by θ, the noise's variance and the constant's variance.
struct EvidenceGradient {
  Eigen::VectorXd theta;
  double noise = 0;
  double constant = 0;
};

/// Jitter that is tried, of the prior variance: ten times as much each time.
constexpr double kLeastJitter = 1e-10, kMostJitter = 1e-4;
/// What is said when no jitter helps: it names the two closest points. Cost n² distances.
Error indefinite_covariance(const Eigen::MatrixXd& points);

/// The posterior of f + m given n values, exactly (Rasmussen & Williams 2006, algorithm 2.1). Points are rows.
///
/// Jitter of 1e-10 of the prior variance is added to the diagonal; where the matrix is not positive definite, ten times as
/// much each time, up to 1e-4. Memory n² doubles. Functions that predict are thread-safe.
class ExactGp {
 public:
  /// Cost n³/3. @pre n ≥ 0 finite values, a point each
  /// @throws Error{numerical} naming the two closest points if the jitter does not help
  ExactGp(GpModel model, Eigen::MatrixXd points, Eigen::VectorXd values);

  const GpModel& model() const { return model_; }
  Index size() const { return points_.rows(); }
  const Eigen::MatrixXd& points() const { return points_; }
  const Eigen::VectorXd& values() const { return values_; }
  double jitter() const { return jitter_; }

  /// More data; the same hyperparameters. Cost n² a row.
  void append(const Eigen::Ref<const Eigen::MatrixXd>& points, const Eigen::Ref<const Eigen::VectorXd>& values);
  /// Other values at the same points. Cost n².
  void set_values(Eigen::VectorXd values);

  /// K⁻¹ times each column. Cost n² a column.
  Eigen::MatrixXd solve(Eigen::MatrixXd columns) const;

  /// log N(y; 0, K).
  double log_evidence() const;

  /// Means of f + m at the data. Costs nothing.
  Eigen::VectorXd fitted() const { return values_ - (model_.noise + jitter_) * weights_; }

  /// Means and variances of f + m at each row of `points`. Cost n² a point.
  void predict(const Kernel::Points& points, Eigen::VectorXd& mean, Eigen::VectorXd& variance) const;
  /// The same at one row, with derivatives by its features.
  void predict_with_gradient(const Kernel::Points& point, double& mean, double& variance,
                             Eigen::Ref<Eigen::VectorXd> mean_gradient,
                             Eigen::Ref<Eigen::VectorXd> variance_gradient) const;
  void predict_jointly(const Kernel::Points& points, Eigen::VectorXd& mean, Eigen::MatrixXd& covariance) const;
  /// K⁻¹ k(X, x′_j), n × p, of other points: what the two functions below need of them. Cost n² a point.
  Eigen::MatrixXd solved_cross(const Kernel::Points& others) const;
  /// Posterior covariances of f + m, m × p, of points with others. Cost n p a point.
  void predict_cross(const Kernel::Points& points, const Kernel::Points& others, const Eigen::MatrixXd& solved,
                     Eigen::MatrixXd& covariance) const;
  /// Their derivatives by the features of one point, features × p.
  void predict_cross_gradient(const Kernel::Points& point, const Kernel::Points& others, const Eigen::MatrixXd& solved,
                              Eigen::MatrixXd& gradient) const;
  /// Means and variances of each y (with its noise) given all the others: y − α_i/K⁻¹_ii, 1/K⁻¹_ii (Rasmussen & Williams
  /// 2006, eq. 5.12). Cost 2n³/3.
  void leave_one_out(Eigen::VectorXd& mean, Eigen::VectorXd& variance) const;

 private:
  void factor();
  void solve_weights();
  double prior_variance() const { return variance_ + model_.constant; }
  Eigen::MatrixXd cross(const Kernel::Points& points) const;  // n × m

  GpModel model_;
  Eigen::MatrixXd points_;
  Eigen::VectorXd values_;
  double variance_ = 0;  // of f
  double jitter_ = 0;
  Eigen::MatrixXd factor_;   // L
  Eigen::VectorXd weights_;  // K⁻¹y
};

}  // namespace tempera
