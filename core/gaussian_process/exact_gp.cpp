#include "core/gaussian_process/exact_gp.hpp"

#include <Eigen/Dense>
#include <cmath>
#include <numbers>
#include <utility>

#include "core/base/contract.hpp"
#include "core/linalg/cholesky.hpp"

namespace tempera {

namespace {
constexpr double kRoom = 1.125;  // of the matrix, when rows are appended
}

ExactGp::ExactGp(GpModel model, Eigen::MatrixXd points, Eigen::VectorXd values)
    : GaussianProcess(std::move(model), std::move(points), std::move(values)) {
  factor();
}

ExactGp::ExactGp(GpModel model, Eigen::MatrixXd points, Eigen::VectorXd values, Eigen::MatrixXd factor, double jitter)
    : GaussianProcess(std::move(model), std::move(points), std::move(values)), store_(std::move(factor)) {
  TEMPERA_EXPECTS(store_.rows() == size() && store_.cols() == size());
  jitter_ = jitter;
  solve_weights();
}

void ExactGp::factor() {
  store_.resize(size(), size());
  for (double jitter = kLeastJitter; jitter <= 1.01 * kMostJitter; jitter *= 10) {
    covariance(*model_.kernel, model_.theta, points_, store_);
    if (model_.constant > 0) store_.array() += model_.constant;
    jitter_ = jitter * prior_variance();
    store_.diagonal().array() += model_.noise + jitter_;
    if (cholesky(store_) < 0) {
      solve_weights();
      return;
    }
  }
  throw indefinite_covariance(points_);
}

void ExactGp::solve_weights() {
  weights_ = values_;
  solve_lower(l(), weights_);
  solve_lower_transposed(l(), weights_);
}

void ExactGp::divide_by_factor(Eigen::MatrixXd& columns) const {
  solve_lower(l(), columns);
}

void ExactGp::divide_by_transposed_factor(Eigen::MatrixXd& columns) const {
  solve_lower_transposed(l(), columns);
}

void ExactGp::append(const Eigen::MatrixXd& points, const Eigen::VectorXd& values) {
  const Eigen::Index n = size(), more = points.rows();
  Eigen::MatrixXd side = cross(points), corner(more, more);
  solve_lower(l(), side);
  covariance(*model_.kernel, model_.theta, points, corner);
  corner.array() += model_.constant;
  corner.diagonal().array() += model_.noise + jitter_;
  corner -= side.transpose() * side;
  take_rows(points, values);
  if (cholesky(corner) >= 0) return factor();
  if (n + more > store_.rows()) {
    const auto room = static_cast<Eigen::Index>(kRoom * static_cast<double>(n + more)) + 1;
    store_.conservativeResize(room, room);
  }
  store_.block(n, 0, more, n) = side.transpose();
  store_.block(n, n, more, more) = corner;
  solve_weights();
}

void ExactGp::set_values(Eigen::VectorXd values) {
  TEMPERA_EXPECTS(values.size() == size());
  values_ = std::move(values);
  solve_weights();
}

double ExactGp::log_evidence() const {
  return -0.5 *
         (values_.dot(weights_) + log_determinant(l()) + static_cast<double>(size()) * std::log(2 * std::numbers::pi));
}

void ExactGp::leave_one_out(Eigen::VectorXd& mean, Eigen::VectorXd& variance) const {
  Eigen::MatrixXd inverse = l();
  invert_cholesky(inverse);
  variance = inverse.diagonal().cwiseInverse();
  mean = values_ - weights_.cwiseProduct(variance);
}

}  // namespace tempera
