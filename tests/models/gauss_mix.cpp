#include <algorithm>
#include <array>
#include <limits>

#include "core/linalg/exponential.hpp"
#include "core/sampling/detail/stable.hpp"
#include "tests/models/factories.hpp"
#include "tests/models/half_line.hpp"

namespace tempera::test {

namespace {

constexpr double kMeanSd = 2;
constexpr double kSigmaSd = 2;
constexpr double kBeta = 5;  // both parameters of theta's prior
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

/// Sums over observations of what a component has of them: share, share·z, share·z².
struct Moments {
  double share = 0, first = 0, second = 0;
  void add(double part, double z) {
    share += part;
    first += part * z;
    second += part * z * z;
  }
};

class GaussMix final : public Model {
 public:
  explicit GaussMix(JsonData& data) : y_(data.numbers("y", {data.integer("N", {.minimum = 1})})), exponential_(y_) {
    constant_ = std::log(2.0) - detail::kLogTwoPi - 2 * std::log(kMeanSd) +  // means in either order
                2 * std::log(2.0) - detail::kLogTwoPi - 2 * std::log(kSigmaSd) + detail::log_gamma(2 * kBeta) -
                2 * detail::log_gamma(kBeta);
  }

  std::vector<ParameterBlock> parameters() const override {
    return {{"mu", {2}, Transform::ordered()},
            {"sigma", {2}, Transform::lower(0)},
            {"theta", {}, Transform::interval(0, 1)}};
  }
  double log_prior(std::span<const double> theta, std::span<double> gradient) override {
    const double share = theta[4];
    if (!gradient.empty()) {
      for (std::size_t k = 0; k < 2; ++k) gradient[k] = -theta[k] / (kMeanSd * kMeanSd);
      for (std::size_t k = 2; k < 4; ++k) gradient[k] = -theta[k] / (kSigmaSd * kSigmaSd);
      gradient[4] = (kBeta - 1) * (1 / share - 1 / (1 - share));
    }
    return constant_ -
           0.5 * (detail::squared_norm(theta.first(2)) / (kMeanSd * kMeanSd) +
                  detail::squared_norm(theta.subspan(2, 2)) / (kSigmaSd * kSigmaSd)) +
           (kBeta - 1) * std::log(share * (1 - share));
  }
  double log_likelihood(std::span<const double> theta, std::span<double> gradient) override;
  bool has_gradient() const override { return true; }
  bool samples_prior() const override { return true; }
  bool normalised_prior() const override { return true; }
  void sample_prior(RandomStream& stream, std::span<double> theta) override {
    const double one = kMeanSd * stream.normal(), other = kMeanSd * stream.normal();
    theta[0] = std::min(one, other);
    theta[1] = std::max(one, other);
    for (std::size_t k = 2; k < 4; ++k) theta[k] = positive_normal_draw(stream, 0, kSigmaSd);
    theta[4] = stream.beta(kBeta, kBeta);
  }
  std::unique_ptr<Model> clone() const override { return std::make_unique<GaussMix>(*this); }

 private:
  /// Σ log(1 + exponential_).
  double log_sums() const;
  std::array<Moments, 2> moments(std::span<const double> theta) const;

  std::vector<double> y_;
  std::vector<double> exponential_;  // scratch: e^−|d|, d the difference of the components' log densities
  double constant_;
};

double GaussMix::log_sums() const {
  constexpr std::size_t kLanes = 4, kBlock = 4000;  // 2^1000 is a number yet
  double sum = 0;
  for (std::size_t begin = 0; begin < exponential_.size(); begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, exponential_.size());
    std::array<double, kLanes> product{1, 1, 1, 1};
    std::size_t i = begin;
    for (; i + kLanes <= end; i += kLanes)
      for (std::size_t lane = 0; lane < kLanes; ++lane) product[lane] *= 1 + exponential_[i + lane];
    for (; i < end; ++i) product[i % kLanes] *= 1 + exponential_[i];
    for (const double value : product) sum += std::log(value);
  }
  return sum;
}

std::array<Moments, 2> GaussMix::moments(std::span<const double> theta) const {
  const double first = 1 / theta[2], second = 1 / theta[3];
  const double distance = std::log(theta[4] / (1 - theta[4]) * theta[3] / theta[2]);
  std::array<Moments, 2> sums;
  for (std::size_t i = 0; i < y_.size(); ++i) {
    const double z1 = (y_[i] - theta[0]) * first, z2 = (y_[i] - theta[1]) * second;
    const double larger = 1 / (1 + exponential_[i]), smaller = exponential_[i] * larger;
    const bool first_is_larger = distance - 0.5 * (z1 * z1 - z2 * z2) > 0;
    sums[0].add(first_is_larger ? larger : smaller, z1);
    sums[1].add(first_is_larger ? smaller : larger, z2);
  }
  return sums;
}

double GaussMix::log_likelihood(std::span<const double> theta, std::span<double> gradient) {
  for (double& entry : gradient) entry = 0;
  const double share = theta[4];
  if (!(theta[2] > 0 && theta[3] > 0 && share > 0 && share < 1)) return kMinusInfinity;
  const double first = 1 / theta[2], second = 1 / theta[3];
  const double constant1 = std::log(share * first), constant2 = std::log((1 - share) * second);
  double total = 0;
  for (std::size_t i = 0; i < y_.size(); ++i) {
    const double z1 = (y_[i] - theta[0]) * first, z2 = (y_[i] - theta[1]) * second;
    const double log1 = constant1 - 0.5 * z1 * z1, log2 = constant2 - 0.5 * z2 * z2;
    total += std::max(log1, log2);
    exponential_[i] = -std::abs(log1 - log2);
  }
  exponentials(exponential_);
  const double log_density = total + log_sums() - 0.5 * detail::kLogTwoPi * static_cast<double>(y_.size());
  if (!(log_density > kMinusInfinity)) return kMinusInfinity;
  if (gradient.empty()) return log_density;
  const auto sums = moments(theta);
  for (std::size_t k = 0; k < 2; ++k) {
    gradient[k] = sums[k].first / theta[2 + k];
    gradient[2 + k] = (sums[k].second - sums[k].share) / theta[2 + k];
  }
  gradient[4] = sums[0].share / share - sums[1].share / (1 - share);
  return log_density;
}

}  // namespace

std::unique_ptr<Model> make_gauss_mix(JsonData& data) {
  return std::make_unique<GaussMix>(data);
}

}  // namespace tempera::test
