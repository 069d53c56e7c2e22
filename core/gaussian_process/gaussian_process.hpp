#pragma once

#include <Eigen/Core>
#include <memory>

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

/// Jitter that is tried, of the prior variance: ten times as much each time.
constexpr double kLeastJitter = 1e-10, kMostJitter = 1e-4;
/// What is said when no jitter helps: it names the two closest points. Cost n² distances.
Error indefinite_covariance(const Eigen::MatrixXd& points);

/// The posterior of f + m given n values, exactly (Rasmussen & Williams 2006, algorithm 2.1), wherever the Cholesky factor L of
/// the covariance matrix K lies: on this process (ExactGp) or in blocks over several, on which the functions that use it are
/// called alike. Points are rows.
class GaussianProcess {
 public:
  virtual ~GaussianProcess() = default;
  virtual std::unique_ptr<GaussianProcess> clone() const = 0;

  const GpModel& model() const { return model_; }
  Index size() const { return points_.rows(); }
  const Eigen::MatrixXd& points() const { return points_; }
  const Eigen::VectorXd& values() const { return values_; }
  double jitter() const { return jitter_; }
  /// Variance of f + m before any value was seen.
  double prior_variance() const { return variance_ + model_.constant; }
  /// Means of f + m at the data. Costs nothing.
  Eigen::VectorXd fitted() const { return values_ - (model_.noise + jitter_) * weights_; }

  /// More data; the same hyperparameters. Cost n² a row.
  virtual void append(const Eigen::MatrixXd& points, const Eigen::VectorXd& values) = 0;
  /// K⁻¹ times each column. Cost n² a column.
  Eigen::MatrixXd solve(Eigen::MatrixXd columns) const;

  /// Means and variances of f + m at each row of `points`. Cost n² a point; many at once are faster.
  virtual void predict(const Kernel::Points& points, Eigen::VectorXd& mean, Eigen::VectorXd& variance) const;
  /// The same, with derivatives by the features of each point: features × m.
  void predict_with_gradients(const Kernel::Points& points, Eigen::VectorXd& mean, Eigen::VectorXd& variance,
                              Eigen::MatrixXd& mean_gradients, Eigen::MatrixXd& variance_gradients) const;
  void predict_jointly(const Kernel::Points& points, Eigen::VectorXd& mean, Eigen::MatrixXd& covariance) const;
  /// K⁻¹ k(X, x′_j), n × p, of other points: what the two functions below need of them. Cost n² a point.
  Eigen::MatrixXd solved_cross(const Kernel::Points& others) const;
  /// Posterior covariances of f + m, m × p, of points with others. Cost n p a point.
  void predict_cross(const Kernel::Points& points, const Kernel::Points& others, const Eigen::MatrixXd& solved,
                     Eigen::MatrixXd& covariance) const;
  /// Their derivatives by the features of one point, features × p.
  void predict_cross_gradient(const Kernel::Points& point, const Kernel::Points& others, const Eigen::MatrixXd& solved,
                              Eigen::MatrixXd& gradient) const;

 protected:
  GaussianProcess(GpModel model, Eigen::MatrixXd points, Eigen::VectorXd values);
  GaussianProcess(const GaussianProcess&) = default;
  GaussianProcess(GaussianProcess&&) = default;
  GaussianProcess& operator=(const GaussianProcess&) = default;
  GaussianProcess& operator=(GaussianProcess&&) = default;

  /// Columns become L⁻¹ or L⁻ᵀ times themselves.
  virtual void divide_by_factor(Eigen::MatrixXd& columns) const = 0;
  virtual void divide_by_transposed_factor(Eigen::MatrixXd& columns) const = 0;
  void take_rows(const Eigen::MatrixXd& points, const Eigen::VectorXd& values);
  Eigen::MatrixXd cross(const Kernel::Points& points) const;  // n × m

  GpModel model_;
  Eigen::MatrixXd points_;
  Eigen::VectorXd values_;
  double variance_ = 0;  // of f
  double jitter_ = 0;
  Eigen::VectorXd weights_;  // K⁻¹y
};

}  // namespace tempera
