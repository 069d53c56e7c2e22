#include "core/gaussian_process/probit_classifier.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/base/contract.hpp"
#include "core/linalg/cholesky.hpp"

namespace tempera {

namespace {

const double kLogRootTwoPi = 0.5 * std::log(2 * std::numbers::pi);
constexpr double kSeries = -25;  // below, the asymptotic series of Φ is exact to 1e-11
constexpr int kMostRounds = 200;
constexpr double kStep = 0.8;        // of the way to the refined sites: all at once may swing
constexpr double kConverged = 1e-6;  // of means, in standard deviations

}  // namespace

ProbitMoments log_probit(double z) {
  const double log_density = -0.5 * z * z - kLogRootTwoPi;
  if (z > kSeries) {
    const double probability = 0.5 * std::erfc(-z / std::numbers::sqrt2);
    return {std::log(probability), std::exp(log_density) / probability};
  }
  const double s = 1 / (z * z), series = 1 - s * (1 - s * (3 - s * (15 - 105 * s)));
  return {log_density - std::log(-z) + std::log(series), -z / series};
}

ProbitClassifier::ProbitClassifier(GpModel model, Eigen::MatrixXd points, Eigen::VectorXd labels, Sites start)
    : model_(std::move(model)), points_(std::move(points)), labels_(std::move(labels)), sites_(std::move(start)) {
  const Eigen::Index n = labels_.size();
  TEMPERA_EXPECTS(points_.rows() == n && (labels_.array().abs() == 1).all());
  if (sites_.precision.size() == 0) sites_ = {Eigen::VectorXd::Zero(n), Eigen::VectorXd::Zero(n)};
  TEMPERA_EXPECTS(sites_.precision.size() == n && sites_.shift.size() == n);
  prior_.resize(n, n);
  covariance(*model_.kernel, model_.theta, points_, prior_);
  prior_.triangularView<Eigen::StrictlyUpper>() = prior_.transpose();
  prior_.array() += model_.constant;
  propagate();
}

Eigen::MatrixXd ProbitClassifier::cross(const Kernel::Points& points) const {
  Eigen::MatrixXd result(points_.rows(), points.rows());
  model_.kernel->evaluate(model_.theta, points_, points, result);
  result.array() += model_.constant;
  return result;
}

/// The posterior under the sites as they are.
void ProbitClassifier::take_sites() {
  roots_ = sites_.precision.cwiseSqrt();
  factor_ = roots_.asDiagonal() * prior_ * roots_.asDiagonal();
  factor_.diagonal().array() += 1;
  static_cast<void>(cholesky(factor_));  // its eigenvalues are 1 at least
  Eigen::MatrixXd side = roots_.asDiagonal() * prior_;
  Eigen::VectorXd solved = side * sites_.shift;
  solve_lower(factor_, side);
  variance_ = prior_.diagonal() - side.colwise().squaredNorm().transpose();
  solve_lower(factor_, solved);
  solve_lower_transposed(factor_, solved);
  weights_ = sites_.shift - roots_.cwiseProduct(solved);
  mean_ = prior_ * weights_;
}

ProbitClassifier::Cavity ProbitClassifier::cavity(Eigen::Index i) const {
  const double prior = 1 / prior_(i, i);  // rounding apart it knows no less than the prior
  return {std::max(1 / variance_[i] - sites_.precision[i], 1e-3 * prior), mean_[i] / variance_[i] - sites_.shift[i]};
}

void ProbitClassifier::propagate() {
  take_sites();
  for (int round = 0; round < kMostRounds; ++round) {
    const Eigen::VectorXd before = mean_;
    for (Eigen::Index i = 0; i < labels_.size(); ++i) {
      const Cavity without = cavity(i);
      const double variance = 1 / without.precision, mean = variance * without.shift, total = std::sqrt(1 + variance);
      const double z = labels_[i] * mean / total, r = log_probit(z).slope;
      // Moments of the cavity times Φ(y f): equation 3.58.
      const double new_mean = mean + labels_[i] * variance * r / total;
      const double new_variance = variance - variance * variance * r * (z + r) / (1 + variance);
      const double precision = std::max(0.0, 1 / new_variance - without.precision);
      sites_.precision[i] += kStep * (precision - sites_.precision[i]);
      sites_.shift[i] += kStep * (new_mean / new_variance - without.shift - sites_.shift[i]);
    }
    take_sites();
    if (((mean_ - before).array().square() < kConverged * kConverged * (1 + variance_.array())).all()) break;
  }
}

/// Equations 3.65, 3.73 and 3.74; derivatives: algorithm 5.2.
double ProbitClassifier::log_evidence(EvidenceGradient* gradient) const {
  double evidence = -0.5 * log_determinant(factor_) + 0.5 * sites_.shift.dot(mean_);
  for (Eigen::Index i = 0; i < labels_.size(); ++i) {
    const Cavity without = cavity(i);
    const double tau = sites_.precision[i], nu = sites_.shift[i], variance = 1 / without.precision;
    const double mean = variance * without.shift;
    evidence += log_probit(labels_[i] * mean / std::sqrt(1 + variance)).value;
    evidence += 0.5 * std::log1p(tau * variance);
    evidence -= 0.5 * nu * nu / (without.precision + tau);
    evidence += 0.5 * mean * without.precision / (without.precision + tau) * (tau * mean - 2 * nu);
  }
  if (gradient == nullptr) return evidence;
  Eigen::MatrixXd by_prior = roots_.asDiagonal();
  solve_lower(factor_, by_prior);
  solve_lower_transposed(factor_, by_prior);
  by_prior = 0.5 * (weights_ * weights_.transpose() - roots_.asDiagonal() * by_prior);
  add_covariance_gradient(*model_.kernel, model_.theta, points_, by_prior, gradient->theta);
  gradient->constant = by_prior.sum();
  return evidence;
}

void ProbitClassifier::predict(const Kernel::Points& points, Eigen::VectorXd& mean, Eigen::VectorXd& variance) const {
  Eigen::MatrixXd side = cross(points);
  mean.noalias() = side.transpose() * weights_;
  side = roots_.asDiagonal() * side;
  solve_lower(factor_, side);
  const double before = model_.kernel->variance(model_.theta) + model_.constant;
  variance = (before - side.colwise().squaredNorm().array()).max(0.0).matrix().transpose();
}

void ProbitClassifier::predict_with_gradient(const Kernel::Points& point, double& mean, double& variance,
                                             Eigen::Ref<Eigen::VectorXd> mean_gradient,
                                             Eigen::Ref<Eigen::VectorXd> variance_gradient) const {
  Eigen::MatrixXd side = cross(point);
  mean = side.col(0).dot(weights_);
  side = roots_.asDiagonal() * side;
  solve_lower(factor_, side);
  variance = std::max(0.0, model_.kernel->variance(model_.theta) + model_.constant - side.squaredNorm());
  solve_lower_transposed(factor_, side);
  Eigen::MatrixXd weights(points_.rows(), 2);
  weights.col(0) = weights_;
  weights.col(1) = -2 * roots_.cwiseProduct(side.col(0));
  Eigen::MatrixXd gradients = Eigen::MatrixXd::Zero(points_.cols(), 2);
  model_.kernel->add_input_gradient(model_.theta, point, points_, weights, gradients);
  mean_gradient = gradients.col(0);
  variance_gradient = gradients.col(1);
}

void ProbitClassifier::predict_jointly(const Kernel::Points& points, Eigen::VectorXd& mean,
                                       Eigen::MatrixXd& covariance) const {
  Eigen::MatrixXd side = cross(points);
  mean.noalias() = side.transpose() * weights_;
  side = roots_.asDiagonal() * side;
  solve_lower(factor_, side);
  covariance.resize(points.rows(), points.rows());
  model_.kernel->evaluate(model_.theta, points, points, covariance);
  covariance.array() += model_.constant;
  covariance.noalias() -= side.transpose() * side;
}

}  // namespace tempera
