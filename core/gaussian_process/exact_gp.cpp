#include "core/gaussian_process/exact_gp.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/linalg/cholesky.hpp"

namespace tempera {

Error indefinite_covariance(const Eigen::MatrixXd& points) {
  Eigen::Index first = 0, second = 0;
  double least = std::numeric_limits<double>::infinity();
  for (Eigen::Index i = 0; i < points.rows(); ++i)
    for (Eigen::Index j = 0; j < i; ++j)
      if (const double distance = (points.row(i) - points.row(j)).norm(); distance < least) {
        least = distance;
        first = j;
        second = i;
      }
  return Error(
      Category::numerical, "",
      fmt::format("the covariance matrix of {} points is not positive definite, even with jitter; the closest are "
                  "points {} and {}, at distance {:.3g}",
                  points.rows(), first, second, least),
      "drop one of them, or allow noise");
}

ExactGp::ExactGp(GpModel model, Eigen::MatrixXd points, Eigen::VectorXd values)
    : model_(std::move(model)),
      points_(std::move(points)),
      values_(std::move(values)),
      variance_(model_.kernel->variance(model_.theta)) {
  TEMPERA_EXPECTS(points_.rows() == values_.size() && points_.cols() == model_.kernel->features());
  factor();
}

void ExactGp::factor() {
  factor_.resize(size(), size());
  for (double jitter = kLeastJitter; jitter <= 1.01 * kMostJitter; jitter *= 10) {
    covariance(*model_.kernel, model_.theta, points_, factor_);
    if (model_.constant > 0) factor_.array() += model_.constant;
    jitter_ = jitter * prior_variance();
    factor_.diagonal().array() += model_.noise + jitter_;
    if (cholesky(factor_) < 0) {
      solve_weights();
      return;
    }
  }
  throw indefinite_covariance(points_);
}

void ExactGp::solve_weights() {
  weights_ = values_;
  solve_lower(factor_, weights_);
  solve_lower_transposed(factor_, weights_);
}

Eigen::MatrixXd ExactGp::cross(const Kernel::Points& points) const {
  Eigen::MatrixXd result(size(), points.rows());
  model_.kernel->evaluate(model_.theta, points_, points, result);
  result.array() += model_.constant;
  return result;
}

void ExactGp::append(const Eigen::Ref<const Eigen::MatrixXd>& points, const Eigen::Ref<const Eigen::VectorXd>& values) {
  const Eigen::Index n = size(), more = points.rows();
  Eigen::MatrixXd side = cross(points), corner(more, more);
  solve_lower(factor_, side);
  covariance(*model_.kernel, model_.theta, points, corner);
  corner.array() += model_.constant;
  corner.diagonal().array() += model_.noise + jitter_;
  corner -= side.transpose() * side;
  points_.conservativeResize(n + more, Eigen::NoChange);
  points_.bottomRows(more) = points;
  values_.conservativeResize(n + more);
  values_.tail(more) = values;
  if (cholesky(corner) >= 0) return factor();
  Eigen::MatrixXd larger(n + more, n + more);
  larger.topLeftCorner(n, n) = factor_;
  larger.bottomLeftCorner(more, n) = side.transpose();
  larger.bottomRightCorner(more, more) = corner;
  factor_ = std::move(larger);
  solve_weights();
}

void ExactGp::set_values(Eigen::VectorXd values) {
  TEMPERA_EXPECTS(values.size() == size());
  values_ = std::move(values);
  solve_weights();
}

Eigen::MatrixXd ExactGp::solve(Eigen::MatrixXd columns) const {
  solve_lower(factor_, columns);
  solve_lower_transposed(factor_, columns);
  return columns;
}

double ExactGp::log_evidence() const {
  return -0.5 * (values_.dot(weights_) + log_determinant(factor_) +
                 static_cast<double>(size()) * std::log(2 * std::numbers::pi));
}

void ExactGp::predict(const Kernel::Points& points, Eigen::VectorXd& mean, Eigen::VectorXd& variance) const {
  Eigen::MatrixXd side = cross(points);
  mean.noalias() = side.transpose() * weights_;
  solve_lower(factor_, side);
  variance = (prior_variance() - side.colwise().squaredNorm().array()).max(0.0).matrix().transpose();
}

void ExactGp::predict_with_gradient(const Kernel::Points& point, double& mean, double& variance,
                                    Eigen::Ref<Eigen::VectorXd> mean_gradient,
                                    Eigen::Ref<Eigen::VectorXd> variance_gradient) const {
  Eigen::MatrixXd weights(size(), 2);
  Eigen::MatrixXd side = cross(point);
  mean = side.col(0).dot(weights_);
  solve_lower(factor_, side);
  variance = std::max(0.0, prior_variance() - side.squaredNorm());
  solve_lower_transposed(factor_, side);
  weights.col(0) = weights_;
  weights.col(1) = -2 * side.col(0);
  Eigen::MatrixXd gradients = Eigen::MatrixXd::Zero(points_.cols(), 2);
  model_.kernel->add_input_gradient(model_.theta, point, points_, weights, gradients);
  mean_gradient = gradients.col(0);
  variance_gradient = gradients.col(1);
}

void ExactGp::predict_jointly(const Kernel::Points& points, Eigen::VectorXd& mean, Eigen::MatrixXd& covariance) const {
  Eigen::MatrixXd side = cross(points);
  mean.noalias() = side.transpose() * weights_;
  solve_lower(factor_, side);
  covariance.resize(points.rows(), points.rows());
  model_.kernel->evaluate(model_.theta, points, points, covariance);
  covariance.array() += model_.constant;
  covariance.noalias() -= side.transpose() * side;
}

Eigen::MatrixXd ExactGp::solved_cross(const Kernel::Points& others) const {
  return solve(cross(others));
}

void ExactGp::predict_cross(const Kernel::Points& points, const Kernel::Points& others, const Eigen::MatrixXd& solved,
                            Eigen::MatrixXd& covariance) const {
  covariance.resize(points.rows(), others.rows());
  model_.kernel->evaluate(model_.theta, points, others, covariance);
  covariance.array() += model_.constant;
  covariance.noalias() -= cross(points).transpose() * solved;
}

void ExactGp::predict_cross_gradient(const Kernel::Points& point, const Kernel::Points& others,
                                     const Eigen::MatrixXd& solved, Eigen::MatrixXd& gradient) const {
  const Index p = others.rows();
  gradient = Eigen::MatrixXd::Zero(points_.cols(), p);
  model_.kernel->add_input_gradient(model_.theta, point, others, Eigen::MatrixXd::Identity(p, p), gradient);
  model_.kernel->add_input_gradient(model_.theta, point, points_, -solved, gradient);
}

void ExactGp::leave_one_out(Eigen::VectorXd& mean, Eigen::VectorXd& variance) const {
  Eigen::MatrixXd inverse = factor_;
  invert_cholesky(inverse);
  variance = inverse.diagonal().cwiseInverse();
  mean = values_ - weights_.cwiseProduct(variance);
}

}  // namespace tempera
