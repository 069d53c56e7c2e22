#include "core/gaussian_process/gaussian_process.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <limits>
#include <utility>

#include "core/base/contract.hpp"

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

GaussianProcess::GaussianProcess(GpModel model, Eigen::MatrixXd points, Eigen::VectorXd values)
    : model_(std::move(model)),
      points_(std::move(points)),
      values_(std::move(values)),
      variance_(model_.kernel->variance(model_.theta)) {
  TEMPERA_EXPECTS(points_.rows() == values_.size() && points_.cols() == model_.kernel->features());
}

void GaussianProcess::take_rows(const Eigen::MatrixXd& points, const Eigen::VectorXd& values) {
  TEMPERA_EXPECTS(points.rows() == values.size() && points.cols() == points_.cols());
  const Eigen::Index n = size(), more = points.rows();
  points_.conservativeResize(n + more, Eigen::NoChange);
  points_.bottomRows(more) = points;
  values_.conservativeResize(n + more);
  values_.tail(more) = values;
}

Eigen::MatrixXd GaussianProcess::cross(const Kernel::Points& points) const {
  Eigen::MatrixXd result(size(), points.rows());
  model_.kernel->evaluate(model_.theta, points_, points, result);
  if (model_.constant > 0) result.array() += model_.constant;
  return result;
}

Eigen::MatrixXd GaussianProcess::solve(Eigen::MatrixXd columns) const {
  divide_by_factor(columns);
  divide_by_transposed_factor(columns);
  return columns;
}

void GaussianProcess::predict(const Kernel::Points& points, Eigen::VectorXd& mean, Eigen::VectorXd& variance) const {
  Eigen::MatrixXd side = cross(points);
  mean.noalias() = side.transpose() * weights_;
  divide_by_factor(side);
  variance = (prior_variance() - side.colwise().squaredNorm().array()).max(0.0).matrix().transpose();
}

void GaussianProcess::predict_with_gradients(const Kernel::Points& points, Eigen::VectorXd& mean,
                                             Eigen::VectorXd& variance, Eigen::MatrixXd& mean_gradients,
                                             Eigen::MatrixXd& variance_gradients) const {
  const Eigen::Index count = points.rows();
  Eigen::MatrixXd side = cross(points);
  mean.resize(count);
  for (Eigen::Index i = 0; i < count; ++i) mean[i] = side.col(i).dot(weights_);
  divide_by_factor(side);
  variance = (prior_variance() - side.colwise().squaredNorm().array()).max(0.0).matrix().transpose();
  divide_by_transposed_factor(side);
  mean_gradients.resize(points_.cols(), count);
  variance_gradients.resize(points_.cols(), count);
  Eigen::MatrixXd weights(size(), 2), gradients(points_.cols(), 2);
  weights.col(0) = weights_;
  for (Eigen::Index i = 0; i < count; ++i) {
    weights.col(1) = -2 * side.col(i);
    gradients.setZero();
    model_.kernel->add_input_gradient(model_.theta, points.row(i), points_, weights, gradients);
    mean_gradients.col(i) = gradients.col(0);
    variance_gradients.col(i) = gradients.col(1);
  }
}

void GaussianProcess::predict_jointly(const Kernel::Points& points, Eigen::VectorXd& mean,
                                      Eigen::MatrixXd& covariance) const {
  Eigen::MatrixXd side = cross(points);
  mean.noalias() = side.transpose() * weights_;
  divide_by_factor(side);
  covariance.resize(points.rows(), points.rows());
  model_.kernel->evaluate(model_.theta, points, points, covariance);
  covariance.array() += model_.constant;
  covariance.noalias() -= side.transpose() * side;
}

Eigen::MatrixXd GaussianProcess::solved_cross(const Kernel::Points& others) const {
  return solve(cross(others));
}

void GaussianProcess::predict_cross(const Kernel::Points& points, const Kernel::Points& others,
                                    const Eigen::MatrixXd& solved, Eigen::MatrixXd& covariance) const {
  covariance.resize(points.rows(), others.rows());
  model_.kernel->evaluate(model_.theta, points, others, covariance);
  covariance.array() += model_.constant;
  covariance.noalias() -= cross(points).transpose() * solved;
}

void GaussianProcess::predict_cross_gradient(const Kernel::Points& point, const Kernel::Points& others,
                                             const Eigen::MatrixXd& solved, Eigen::MatrixXd& gradient) const {
  const Index p = others.rows();
  gradient = Eigen::MatrixXd::Zero(points_.cols(), p);
  model_.kernel->add_input_gradient(model_.theta, point, others, Eigen::MatrixXd::Identity(p, p), gradient);
  model_.kernel->add_input_gradient(model_.theta, point, points_, -solved, gradient);
}

}  // namespace tempera
