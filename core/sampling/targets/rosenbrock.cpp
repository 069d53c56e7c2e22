#include "core/sampling/targets/rosenbrock.hpp"

#include <cmath>

#include "core/base/option_schema.hpp"
#include "core/sampling/detail/densities.hpp"

namespace tempera {

namespace {

constexpr double kMean = 1;         // of x_0
constexpr double kPrecision = 0.1;  // of x_0: 1/20 in the exponent
constexpr double kTightness = 10;   // precision of the others: 100/20 in the exponent

}  // namespace

void RosenbrockOptions::declare(OptionSchema& schema) {
  schema.integer("dim", dim).minimum(2).maximum(1e6).help("dimension");
  schema.integer("length", length).minimum(1).maximum(1e6).help("coordinates in an arm, each bent by the one before");
  schema.real("scale", scale).above(0).help("standard deviation of the reference");
}

RosenbrockTarget::RosenbrockTarget(const RosenbrockOptions& options)
    : Target({{"x", {options.dim}, Transform::identity()}}),
      length_(static_cast<std::size_t>(options.length)),
      scale_(options.scale) {}

LogDensity RosenbrockTarget::evaluate(std::span<const double> u, std::span<double> reference_gradient,
                                      std::span<double> likelihood_gradient) {
  const double others = static_cast<double>(u.size() - 1);
  const double log_normalisation =
      0.5 * (std::log(kPrecision) + others * std::log(kTightness) - (others + 1) * detail::kLogTwoPi);
  const double reference_precision = 1 / (scale_ * scale_);
  const bool wanted = !reference_gradient.empty();
  LogDensity density;
  density.reference = -0.5 * reference_precision * detail::squared_norm(u) -
                      (others + 1) * (0.5 * detail::kLogTwoPi + std::log(scale_));
  if (wanted) {
    for (std::size_t i = 0; i < u.size(); ++i) {
      reference_gradient[i] = -reference_precision * u[i];
      likelihood_gradient[i] = reference_precision * u[i];
    }
    likelihood_gradient[0] -= kPrecision * (u[0] - kMean);
  }
  double exponent = kPrecision * (u[0] - kMean) * (u[0] - kMean);
  for (std::size_t i = 1; i < u.size(); ++i) {
    const std::size_t p = parent(i);
    const double bend = u[i] - u[p] * u[p];
    exponent += kTightness * bend * bend;
    if (!wanted) continue;
    likelihood_gradient[i] -= kTightness * bend;
    likelihood_gradient[p] += 2 * kTightness * bend * u[p];
  }
  density.likelihood = log_normalisation - 0.5 * exponent - density.reference;
  return density;
}

void RosenbrockTarget::sample_reference(RandomStream& stream, std::span<double> u) {
  for (double& value : u) value = scale_ * stream.normal();
}

}  // namespace tempera
