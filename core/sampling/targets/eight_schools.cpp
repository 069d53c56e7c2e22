#include "core/sampling/targets/eight_schools.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/option_schema.hpp"
#include "core/sampling/detail/densities.hpp"

namespace tempera {

namespace {

constexpr std::size_t kSchools = 8;
constexpr std::size_t kMu = kSchools;
constexpr std::size_t kTau = kSchools + 1;
constexpr std::array<double, kSchools> kEffect{28, 8, -3, 7, -1, 1, 18, 12};
constexpr std::array<double, kSchools> kError{15, 10, 16, 11, 9, 11, 10, 18};
constexpr double kMuSd = 5;
constexpr double kTauScale = 5;

}  // namespace

void EightSchoolsOptions::declare(OptionSchema& schema) {
  schema.flag("centred", centred).help("true: theta itself, a funnel; false: theta_trans = (theta - mu)/tau");
}

std::vector<ParameterBlock> EightSchoolsModel::parameters() const {
  return {{centred_ ? "theta" : "theta_trans", {static_cast<Index>(kSchools)}, Transform::identity()},
          {"mu", {}, Transform::identity()},
          {"tau", {}, Transform::lower(0)}};
}

double EightSchoolsModel::log_prior(std::span<const double> theta, std::span<double> gradient) {
  const double mean = centred_ ? theta[kMu] : 0;
  const double sd = centred_ ? theta[kTau] : 1;
  double norm = 0;  // Σ z²
  double sum = 0;   // Σ z
  for (std::size_t j = 0; j < kSchools; ++j) {
    const double z = (theta[j] - mean) / sd;
    norm += z * z;
    sum += z;
    if (!gradient.empty()) gradient[j] = -z / sd;
  }
  if (!gradient.empty()) {
    gradient[kMu] = -theta[kMu] / (kMuSd * kMuSd) + (centred_ ? sum / sd : 0);
    gradient[kTau] = detail::log_half_cauchy_slope(theta[kTau], kTauScale) +
                     (centred_ ? (norm - static_cast<double>(kSchools)) / sd : 0);
  }
  return -0.5 * norm - static_cast<double>(kSchools) * (0.5 * detail::kLogTwoPi + (centred_ ? std::log(sd) : 0)) +
         detail::log_normal(theta[kMu], 0, kMuSd) + detail::log_half_cauchy(theta[kTau], kTauScale);
}

double EightSchoolsModel::log_likelihood(std::span<const double> theta, std::span<double> gradient) {
  static const double constants = [] {
    double sum = 0;
    for (const double error : kError) sum -= 0.5 * detail::kLogTwoPi + std::log(error);
    return sum;
  }();
  if (!gradient.empty()) std::fill(gradient.begin(), gradient.end(), 0.0);
  double norm = 0;
  for (std::size_t j = 0; j < kSchools; ++j) {
    const double effect = centred_ ? theta[j] : theta[kMu] + theta[kTau] * theta[j];
    const double z = (kEffect[j] - effect) / kError[j];
    norm += z * z;
    if (gradient.empty()) continue;
    const double slope = z / kError[j];  // by the effect
    gradient[j] = centred_ ? slope : slope * theta[kTau];
    if (centred_) continue;
    gradient[kMu] += slope;
    gradient[kTau] += slope * theta[j];
  }
  return constants - 0.5 * norm;
}

void EightSchoolsModel::sample_prior(RandomStream& stream, std::span<double> theta) {
  const double mu = kMuSd * stream.normal();
  const double tau = kTauScale * std::tan(0.5 * std::numbers::pi * stream.uniform_open());
  for (std::size_t j = 0; j < kSchools; ++j) {
    const double z = stream.normal();
    theta[j] = centred_ ? mu + tau * z : z;
  }
  theta[kMu] = mu;
  theta[kTau] = tau;
}

}  // namespace tempera
