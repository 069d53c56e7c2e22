#include "core/gaussian_process/hyper_posterior.hpp"

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "core/base/contract.hpp"
#include "core/linalg/cholesky.hpp"

namespace tempera {

namespace {

Index size_of(const Kernel& kernel, const GpPriors& priors) {
  return std::ssize(kernel.parameters()) + (priors.fixed_noise ? 0 : 1);
}

LogNormal prior_of(KernelParameter::Kind kind, const GpPriors& priors) {
  switch (kind) {
    case KernelParameter::Kind::amplitude: return priors.amplitude;
    case KernelParameter::Kind::length_scale: return priors.length_scale;
    case KernelParameter::Kind::shape: return priors.shape;
  }
  return {};
}

}  // namespace

HyperPosterior::HyperPosterior(KernelPointer kernel, const GpPriors& priors, Eigen::MatrixXd points,
                               Eigen::VectorXd values)
    : Target({{"u", {size_of(*kernel, priors)}, Transform::identity()}}),
      kernel_(std::move(kernel)),
      fixed_noise_(priors.fixed_noise),
      constant_(priors.constant),
      data_(std::make_shared<Data>(Data{std::move(points), std::move(values)})) {
  TEMPERA_EXPECTS(data_->points.rows() == data_->values.size());
  for (const KernelParameter& parameter : kernel_->parameters()) priors_.push_back(prior_of(parameter.kind, priors));
  if (!fixed_noise_) priors_.push_back(priors.noise);
}

Eigen::VectorXd HyperPosterior::logarithms(std::span<const double> u) const {
  Eigen::VectorXd result(std::ssize(u));
  for (std::size_t i = 0; i < u.size(); ++i)
    result[static_cast<Eigen::Index>(i)] = priors_[i].mean + priors_[i].sd * u[i];
  return result;
}

GpModel HyperPosterior::model(std::span<const double> u) const {
  const Eigen::VectorXd all = logarithms(u);
  const double noise = fixed_noise_ ? *fixed_noise_ : std::exp(all[all.size() - 1]);
  return {kernel_, fixed_noise_ ? all : Eigen::VectorXd(all.head(all.size() - 1)), noise * noise, constant_};
}

void HyperPosterior::sample_reference(RandomStream& stream, std::span<double> u) {
  for (double& value : u) value = stream.normal();
}

LogDensity HyperPosterior::evaluate(std::span<const double> u, std::span<double> reference_gradient,
                                    std::span<double> likelihood_gradient) {
  LogDensity density{-0.5 * static_cast<double>(u.size()) * std::log(2 * std::numbers::pi), 0};
  for (std::size_t i = 0; i < u.size(); ++i) {
    density.reference -= 0.5 * u[i] * u[i];
    if (!reference_gradient.empty()) reference_gradient[i] = -u[i];
  }
  const GpModel model = this->model(u);
  const bool wanted = !likelihood_gradient.empty();
  EvidenceGradient slopes{Eigen::VectorXd::Zero(model.theta.size()), 0, 0};
  density.likelihood = log_evidence(model, wanted ? &slopes : nullptr);
  if (!wanted) return density;
  // The jitter is a part of the variance, of which the amplitude alone is a parameter: too little to count.
  for (Eigen::Index t = 0; t < slopes.theta.size(); ++t)
    likelihood_gradient[static_cast<std::size_t>(t)] = slopes.theta[t];
  if (!fixed_noise_) likelihood_gradient.back() = 2 * model.noise * slopes.noise;
  for (std::size_t i = 0; i < likelihood_gradient.size(); ++i) likelihood_gradient[i] *= priors_[i].sd;
  return density;
}

/// Derivatives ½ tr((ααᵀ − K⁻¹) ∂K/∂θ), α = K⁻¹y (Rasmussen & Williams 2006, eq. 5.9), from L and L⁻¹y.
double HyperPosterior::log_evidence(const GpModel& model, EvidenceGradient* gradient) {
  const Eigen::Index n = values().size();
  matrix_.resize(n, n);
  covariance(*kernel_, model.theta, points(), matrix_);
  if (constant_ > 0) matrix_.array() += constant_;
  matrix_.diagonal().array() += model.noise + kLeastJitter * (kernel_->variance(model.theta) + constant_);
  if (cholesky(matrix_) >= 0) return -std::numeric_limits<double>::infinity();
  weights_ = values();
  solve_lower(matrix_, weights_);
  const double evidence = -0.5 * (weights_.squaredNorm() + log_determinant(matrix_) +
                                  static_cast<double>(n) * std::log(2 * std::numbers::pi));
  if (gradient == nullptr) return evidence;
  solve_lower_transposed(matrix_, weights_);
  invert_cholesky(matrix_);
  matrix_ *= -0.5;
  matrix_.triangularView<Eigen::Lower>() += 0.5 * weights_ * weights_.transpose();
  add_covariance_gradient(*kernel_, model.theta, points(), matrix_, gradient->theta);
  gradient->noise = matrix_.trace();
  gradient->constant = 2 * matrix_.triangularView<Eigen::StrictlyLower>().toDenseMatrix().sum() + gradient->noise;
  return evidence;
}

}  // namespace tempera
