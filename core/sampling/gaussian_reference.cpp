#include "core/sampling/gaussian_reference.hpp"

#include <cmath>
#include <numbers>

namespace tempera {

GaussianApproximation::GaussianApproximation(const ChainTuning& tuning)
    : means_(tuning.means), scales_(tuning.scales), factor_(tuning.covariance_factor) {
  const std::size_t d = means_.size();
  log_constant_ = -0.5 * std::log(2 * std::numbers::pi) * static_cast<double>(d);
  if (factor_.empty()) {
    for (const double scale : scales_) log_constant_ -= std::log(scale);
    return;
  }
  inverse_.assign(d * d, 0.0);
  for (std::size_t i = 0; i < d; ++i) {
    log_constant_ -= std::log(factor_[i * d + i]);
    inverse_[i * d + i] = 1 / factor_[i * d + i];
    for (std::size_t j = 0; j < i; ++j) {
      double sum = 0;
      for (std::size_t k = j; k < i; ++k) sum += factor_[i * d + k] * inverse_[k * d + j];
      inverse_[i * d + j] = -sum / factor_[i * d + i];
    }
  }
}

double GaussianApproximation::log_density(std::span<const double> u, std::span<double> gradient,
                                          std::span<double> scratch) const {
  const std::size_t d = means_.size();
  double squares = 0;
  if (factor_.empty()) {
    for (std::size_t i = 0; i < d; ++i) {
      const double z = (u[i] - means_[i]) / scales_[i];
      squares += z * z;
      if (!gradient.empty()) gradient[i] = -z / scales_[i];
    }
    return log_constant_ - 0.5 * squares;
  }
  for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] = 0;
  for (std::size_t i = 0; i < d; ++i) scratch[i] = u[i] - means_[i];
  // Row by row of L⁻¹: z_i, and its share of −L⁻ᵀ z.
  for (std::size_t i = 0; i < d; ++i) {
    const double* const row = inverse_.data() + i * d;
    double z = 0;
    for (std::size_t j = 0; j <= i; ++j) z += row[j] * scratch[j];
    squares += z * z;
    if (!gradient.empty())
      for (std::size_t j = 0; j <= i; ++j) gradient[j] -= row[j] * z;
  }
  return log_constant_ - 0.5 * squares;
}

void GaussianApproximation::draw(RandomStream& stream, std::span<double> u) const {
  const std::size_t d = means_.size();
  for (std::size_t i = 0; i < d; ++i) u[i] = stream.normal();
  for (std::size_t i = d; i-- > 0;) {
    double value = 0;
    if (factor_.empty()) {
      value = scales_[i] * u[i];
    } else {
      for (std::size_t j = 0; j <= i; ++j) value += factor_[i * d + j] * u[j];
    }
    u[i] = means_[i] + value;
  }
}

GaussianReferenceTarget::GaussianReferenceTarget(const Target& inner)
    : Target(inner.parameters()), inner_(inner.clone()) {
  const auto d = static_cast<std::size_t>(dimension());
  scratch_.resize(d);
  gradient_.resize(d);
  ChainTuning standard;
  standard.means.assign(d, 0.0);
  standard.scales.assign(d, 1.0);
  reference_ = std::make_shared<const GaussianApproximation>(standard);
}

GaussianReferenceTarget::GaussianReferenceTarget(const GaussianReferenceTarget& other)
    : Target(other),
      inner_(other.inner_->clone()),
      reference_(other.reference_),
      scratch_(other.scratch_.size()),
      gradient_(other.gradient_.size()) {}

LogDensity GaussianReferenceTarget::evaluate(std::span<const double> u, std::span<double> reference_gradient,
                                             std::span<double> likelihood_gradient) {
  const LogDensity parts = inner_->evaluate(u, reference_gradient, likelihood_gradient);
  if (reference_gradient.empty()) {
    const double log_q = reference_->log_density(u, {}, scratch_);
    return {log_q, parts.reference + parts.likelihood - log_q};
  }
  const double log_q = reference_->log_density(u, gradient_, scratch_);
  for (std::size_t i = 0; i < gradient_.size(); ++i) {
    likelihood_gradient[i] += reference_gradient[i] - gradient_[i];
    reference_gradient[i] = gradient_[i];
  }
  return {log_q, parts.reference + parts.likelihood - log_q};
}

}  // namespace tempera
