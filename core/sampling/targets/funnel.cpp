#include "core/sampling/targets/funnel.hpp"

#include <cmath>

#include "core/base/option_schema.hpp"
#include "core/sampling/detail/densities.hpp"

namespace tempera {

namespace {

constexpr double kSd = 3;
constexpr double kPrecision = 1 / (kSd * kSd);

}  // namespace

void FunnelOptions::declare(OptionSchema& schema) {
  schema.integer("dim", dim).minimum(2).maximum(1e7).help("dimension, the neck v included");
}

FunnelTarget::FunnelTarget(const FunnelOptions& options)
    : Target({{"v", {}, Transform::identity()}, {"x", {options.dim - 1}, Transform::identity()}}) {}

LogDensity FunnelTarget::evaluate(std::span<const double> u, std::span<double> reference_gradient,
                                  std::span<double> likelihood_gradient) {
  const double v = u[0];
  const double width = static_cast<double>(u.size() - 1);
  const double norm = detail::squared_norm(u.subspan(1));
  const double precision = std::exp(-v);
  const double scaled_norm = norm > 0 ? norm * precision : 0;  // precision may be infinite
  if (!reference_gradient.empty()) {
    for (std::size_t i = 0; i < u.size(); ++i) reference_gradient[i] = -kPrecision * u[i];
    likelihood_gradient[0] = 0.5 * (scaled_norm - width);
    for (std::size_t i = 1; i < u.size(); ++i) likelihood_gradient[i] = (kPrecision - precision) * u[i];
  }
  static const double log_sd = std::log(kSd);
  return {-0.5 * kPrecision * (v * v + norm) - (width + 1) * (0.5 * detail::kLogTwoPi + log_sd),
          0.5 * (kPrecision * norm - scaled_norm - width * v) + width * log_sd};
}

void FunnelTarget::sample_reference(RandomStream& stream, std::span<double> u) {
  for (double& value : u) value = kSd * stream.normal();
}

}  // namespace tempera
