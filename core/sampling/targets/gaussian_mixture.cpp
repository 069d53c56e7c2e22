#include "core/sampling/targets/gaussian_mixture.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/base/error.hpp"
#include "core/base/option_schema.hpp"
#include "core/io/json_data.hpp"
#include "core/sampling/detail/densities.hpp"

namespace tempera {

namespace {

constexpr double kMeanSd = 5;
constexpr double kSigmaSd = 2;
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

std::vector<double> simulated(const GaussianMixtureOptions& options) {
  constexpr double kDistance = 3;
  std::vector<double> y;
  for (Index i = 0; i < options.observations; ++i) {
    RandomStream stream(static_cast<std::uint64_t>(options.seed), "gaussian-mixture-row", {i});
    const auto component = static_cast<double>(stream.uniform_index(options.components));
    y.push_back(kDistance * (component - 0.5 * static_cast<double>(options.components - 1)) + stream.normal());
  }
  return y;
}

}  // namespace

void GaussianMixtureOptions::declare(OptionSchema& schema) {
  schema.group(kModel);
  schema.integer("components", components).minimum(1).maximum(1000).help("number of Gaussians");
  schema.flag("ordered", ordered).help("true: rising means, one mode; false: a mode for each order");
  schema.group(kSimulatedData);
  schema.integer("observations", observations).minimum(1).maximum(1e7).help("simulated observations");
  schema.integer("seed", seed).minimum(0).help("seed of the observations");
}

GaussianMixtureModel::GaussianMixtureModel(const GaussianMixtureOptions& options)
    : GaussianMixtureModel(simulated(options), options.components, options.ordered) {}

GaussianMixtureModel::GaussianMixtureModel(const GaussianMixtureOptions& options, JsonData& data)
    : GaussianMixtureModel(data.numbers("y", {data.size("N", "y")}), options.components, options.ordered) {}

std::vector<DataField> GaussianMixtureModel::data_fields() {
  return {{"N", "", true, "number of observations"}, {"y", "N", false, "observations"}};
}

GaussianMixtureModel::GaussianMixtureModel(std::vector<double> observations, Index components, bool ordered)
    : y_(std::move(observations)),
      components_(static_cast<std::size_t>(std::max<Index>(components, 0))),
      ordered_(ordered),
      scratch_(2 * components_) {
  if (y_.empty() || components < 1) throw Error(Category::shape, "", "a mixture needs an observation and a component");
}

std::vector<ParameterBlock> GaussianMixtureModel::parameters() const {
  const auto count = static_cast<Index>(components_);
  return {{"mu", {count}, ordered_ ? Transform::ordered() : Transform::identity()},
          {"sigma", {count}, Transform::lower(0)},
          {"weights", {count}, Transform::simplex()}};
}

double GaussianMixtureModel::log_prior(std::span<const double> theta, std::span<double> gradient) {
  const auto mu = theta.first(components_);
  const auto sigma = theta.subspan(components_, components_);
  const double count = static_cast<double>(components_);
  if (!gradient.empty()) {
    for (std::size_t k = 0; k < components_; ++k) {
      gradient[k] = -mu[k] / (kMeanSd * kMeanSd);
      gradient[components_ + k] = -sigma[k] / (kSigmaSd * kSigmaSd);
      gradient[2 * components_ + k] = 0;
    }
  }
  if (*std::min_element(sigma.begin(), sigma.end()) <= 0) return kMinusInfinity;
  const double orders = ordered_ ? detail::log_gamma(count + 1) : 0;
  return -0.5 * (detail::squared_norm(mu) / (kMeanSd * kMeanSd) + detail::squared_norm(sigma) / (kSigmaSd * kSigmaSd)) +
         count * (std::numbers::ln2 - detail::kLogTwoPi - std::log(kMeanSd * kSigmaSd)) + detail::log_gamma(count) +
         orders;
}

double GaussianMixtureModel::log_likelihood(std::span<const double> theta, std::span<double> gradient) {
  const auto mu = theta.first(components_);
  const auto sigma = theta.subspan(components_, components_);
  const auto weights = theta.subspan(2 * components_, components_);
  const auto share = std::span(scratch_).first(components_);
  const auto constant = std::span(scratch_).subspan(components_);
  for (std::size_t k = 0; k < components_; ++k)  // −∞ for a weight that is rounded to zero
    constant[k] = std::log(weights[k]) - std::log(sigma[k]) - 0.5 * detail::kLogTwoPi;
  std::fill(gradient.begin(), gradient.end(), 0.0);
  double total = 0;
  detail::LogProduct product;
  for (const double y : y_) {
    double largest = kMinusInfinity;
    for (std::size_t k = 0; k < components_; ++k) {
      const double z = (y - mu[k]) / sigma[k];
      share[k] = constant[k] - 0.5 * z * z;
      largest = std::max(largest, share[k]);
    }
    if (!(largest > kMinusInfinity)) return kMinusInfinity;
    double sum = 0;
    for (double& value : share) {
      value = std::exp(value - largest);
      sum += value;
    }
    total += largest;
    product.multiply(sum);
    if (gradient.empty()) continue;
    for (std::size_t k = 0; k < components_; ++k) {
      const double z = (y - mu[k]) / sigma[k];
      const double part = share[k] / sum;
      gradient[k] += part * z / sigma[k];
      gradient[components_ + k] += part * (z * z - 1) / sigma[k];
      gradient[2 * components_ + k] += weights[k] > 0 ? part / weights[k] : 0;
    }
  }
  return total + product.log();
}

void GaussianMixtureModel::sample_prior(RandomStream& stream, std::span<double> theta) {
  const auto mu = theta.first(components_);
  for (double& mean : mu) mean = kMeanSd * stream.normal();
  if (ordered_) std::sort(mu.begin(), mu.end());
  double sum = 0;
  for (std::size_t k = 0; k < components_; ++k) {
    theta[components_ + k] = std::abs(kSigmaSd * stream.normal());
    sum += theta[2 * components_ + k] = stream.exponential();
  }
  for (std::size_t k = 0; k < components_; ++k) theta[2 * components_ + k] /= sum;
}

}  // namespace tempera
