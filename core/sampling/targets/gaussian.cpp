#include "core/sampling/targets/gaussian.hpp"

#include "core/base/option_schema.hpp"
#include "core/sampling/detail/densities.hpp"

namespace tempera {

void GaussianOptions::declare(OptionSchema& schema) {
  schema.integer("dim", dim).minimum(1).maximum(1e7).help("dimension");
  schema.real("precision", precision).above(0).help("precision of the posterior; that of the reference is 1");
}

GaussianTarget::GaussianTarget(const GaussianOptions& options)
    : Target({{"x", {options.dim}, Transform::identity()}}),
      excess_(options.precision - 1),
      log_normalisation_(-0.5 * static_cast<double>(options.dim) * detail::kLogTwoPi) {}

LogDensity GaussianTarget::evaluate(std::span<const double> u, std::span<double> reference_gradient,
                                    std::span<double> likelihood_gradient) {
  const double half_norm = 0.5 * detail::squared_norm(u);
  for (std::size_t i = 0; i < reference_gradient.size(); ++i) {
    reference_gradient[i] = -u[i];
    likelihood_gradient[i] = -excess_ * u[i];
  }
  return {log_normalisation_ - half_norm, -excess_ * half_norm};
}

void GaussianTarget::sample_reference(RandomStream& stream, std::span<double> u) {
  for (double& value : u) value = stream.normal();
}

double GaussianTarget::log_evidence() const {
  return -0.5 * static_cast<double>(dimension()) * std::log1p(excess_);
}

}  // namespace tempera
