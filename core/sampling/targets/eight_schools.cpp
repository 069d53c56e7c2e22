#include "core/sampling/targets/eight_schools.hpp"

#include <cmath>
#include <numbers>

#include "core/base/option_schema.hpp"
#include "core/io/json_data.hpp"
#include "core/sampling/detail/densities.hpp"

namespace tempera {

namespace {

constexpr double kMuSd = 5;
constexpr double kTauScale = 5;

}  // namespace

void EightSchoolsOptions::declare(OptionSchema& schema) {
  schema.flag("centred", centred).help("true: theta itself, a funnel; false: theta_trans = (theta - mu)/tau");
}

std::vector<DataField> EightSchoolsModel::data_fields() {
  return {{"J", "", true, "number of schools"},
          {"y", "J", false, "estimated effects"},
          {"sigma", "J", false, "their standard errors, above 0"}};
}

EightSchoolsModel::Schools EightSchoolsModel::read(JsonData& data) {
  const Index count = data.size("J", "y");
  return {data.numbers("y", {count}), data.numbers("sigma", {count}, {.minimum = 0, .minimum_excluded = true})};
}

EightSchoolsModel::EightSchoolsModel(bool centred, Schools schools)
    : centred_(centred), effects_(std::move(schools.effects)) {
  for (const double error : schools.errors) {
    precisions_.push_back(1 / error);
    constants_ -= 0.5 * detail::kLogTwoPi + std::log(error);
  }
}

EightSchoolsModel::EightSchoolsModel(const EightSchoolsOptions& options)
    : EightSchoolsModel(options.centred, {{28, 8, -3, 7, -1, 1, 18, 12}, {15, 10, 16, 11, 9, 11, 10, 18}}) {}

EightSchoolsModel::EightSchoolsModel(const EightSchoolsOptions& options, JsonData& data)
    : EightSchoolsModel(options.centred, read(data)) {}

std::vector<ParameterBlock> EightSchoolsModel::parameters() const {
  return {{centred_ ? "theta" : "theta_trans", {static_cast<Index>(effects_.size())}, Transform::identity()},
          {"mu", {}, Transform::identity()},
          {"tau", {}, Transform::lower(0)}};
}

double EightSchoolsModel::log_prior(std::span<const double> theta, std::span<double> gradient) {
  const std::size_t schools = effects_.size();
  const double mu = theta[schools], tau = theta[schools + 1];
  const double mean = centred_ ? mu : 0;
  const double sd = centred_ ? tau : 1;
  double norm = 0;  // Σ z²
  double sum = 0;   // Σ z
  for (std::size_t j = 0; j < schools; ++j) {
    const double z = (theta[j] - mean) / sd;
    norm += z * z;
    sum += z;
    if (!gradient.empty()) gradient[j] = -z / sd;
  }
  const auto count = static_cast<double>(schools);
  if (!gradient.empty()) {
    gradient[schools] = -mu / (kMuSd * kMuSd) + (centred_ ? sum / sd : 0);
    gradient[schools + 1] = detail::log_half_cauchy_slope(tau, kTauScale) + (centred_ ? (norm - count) / sd : 0);
  }
  return -0.5 * norm - count * (0.5 * detail::kLogTwoPi + (centred_ ? std::log(sd) : 0)) +
         detail::log_normal(mu, 0, kMuSd) + detail::log_half_cauchy(tau, kTauScale);
}

double EightSchoolsModel::log_likelihood(std::span<const double> theta, std::span<double> gradient) {
  const std::size_t schools = effects_.size();
  const double mu = theta[schools], tau = theta[schools + 1];
  double norm = 0, by_mu = 0, by_tau = 0;
  for (std::size_t j = 0; j < schools; ++j) {
    const double effect = centred_ ? theta[j] : mu + tau * theta[j];
    const double z = (effects_[j] - effect) * precisions_[j];
    norm += z * z;
    if (gradient.empty()) continue;
    const double slope = z * precisions_[j];  // by the effect
    gradient[j] = centred_ ? slope : slope * tau;
    by_mu += slope;
    by_tau += slope * theta[j];
  }
  if (!gradient.empty()) {
    gradient[schools] = centred_ ? 0 : by_mu;
    gradient[schools + 1] = centred_ ? 0 : by_tau;
  }
  return constants_ - 0.5 * norm;
}

void EightSchoolsModel::sample_prior(RandomStream& stream, std::span<double> theta) {
  const std::size_t schools = effects_.size();
  const double mu = kMuSd * stream.normal();
  const double tau = kTauScale * std::tan(0.5 * std::numbers::pi * stream.uniform_open());
  for (std::size_t j = 0; j < schools; ++j) {
    const double z = stream.normal();
    theta[j] = centred_ ? mu + tau * z : z;
  }
  theta[schools] = mu;
  theta[schools + 1] = tau;
}

}  // namespace tempera
