#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/linalg/exponential.hpp"
#include "core/sampling/detail/densities.hpp"
#include "core/sampling/detail/stable.hpp"
#include "tests/models/factories.hpp"

namespace tempera::test {

namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();
constexpr std::array<double, 2> kMean{0, 3};  // of the normal priors of both rates
constexpr double kSmall = 1e-100;             // forward and backward numbers are scaled up from here

/// log P(0 < X < Y) for X ~ N(0, 1), Y ~ N(3, 1): what the priors of the rates have on their support.
double log_ordered_mass() {
  constexpr int kIntervals = 4000;  // Simpson's rule on [0, 40]: exact to 1e-14
  constexpr double kStep = 40.0 / kIntervals;
  double sum = 0;
  for (int i = 0; i <= kIntervals; ++i) {
    const double x = kStep * i;
    const double density = std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi);
    const double above = 0.5 * std::erfc((x - kMean[1]) / std::numbers::sqrt2);  // P(Y > x)
    sum += (i == 0 || i == kIntervals ? 1 : i % 2 == 1 ? 4 : 2) * density * above;
  }
  return std::log(sum * kStep / 3);
}

class HmmDrive final : public Model {
 public:
  explicit HmmDrive(JsonData& data);

  std::vector<ParameterBlock> parameters() const override {
    return {{"theta1", {2}, Transform::simplex()},
            {"theta2", {2}, Transform::simplex()},
            {"phi", {2}, Transform::positive_ordered()},
            {"lambda", {2}, Transform::positive_ordered()}};
  }
  double log_prior(std::span<const double> theta, std::span<double> gradient) override;
  double log_likelihood(std::span<const double> theta, std::span<double> gradient) override;
  bool has_gradient() const override { return true; }
  bool samples_prior() const override { return true; }
  bool normalised_prior() const override { return true; }
  void sample_prior(RandomStream& stream, std::span<double> theta) override;
  std::unique_ptr<Model> clone() const override { return std::make_unique<HmmDrive>(*this); }

 private:
  using Pair = std::array<double, 2>;

  /// Both states' emission densities over the larger one; returns Σ log of the larger ones.
  double emissions(std::span<const double> theta);
  /// Forward numbers up to a factor a time; returns the log of their last sum.
  double forward(std::span<const double> theta);
  void backward(std::span<const double> theta, std::span<double> gradient) const;

  std::vector<double> u_, v_;
  double sum_u_ = 0, sum_v_ = 0;
  std::array<double, 4> alpha_{};  // of the Dirichlet priors
  double constant_ = 0;            // of the prior
  std::vector<double> scaled_;     // scratch: the smaller emission density over the larger one
  std::vector<Pair> emission_;     // scratch
  std::vector<Pair> forward_;      // scratch
};

HmmDrive::HmmDrive(JsonData& data) {
  const Index length = data.integer("N", {.minimum = 1});
  data.integer("K", {.minimum = 2, .maximum = 2});
  u_ = data.numbers("u", {length}, {.minimum = 0});
  v_ = data.numbers("v", {length}, {.minimum = 0});
  const std::vector<double> alpha = data.numbers("alpha", {2, 2}, {.minimum = 0, .minimum_excluded = true});
  std::copy(alpha.begin(), alpha.end(), alpha_.begin());
  for (const double value : u_) sum_u_ += value;
  for (const double value : v_) sum_v_ += value;
  for (std::size_t row = 0; row < 2; ++row) {
    const double one = alpha_[2 * row], other = alpha_[2 * row + 1];
    constant_ += detail::log_gamma(one + other) - detail::log_gamma(one) - detail::log_gamma(other);
  }
  constant_ -= 2 * (detail::kLogTwoPi + log_ordered_mass());
  scaled_.resize(u_.size());
  emission_.resize(u_.size());
  forward_.resize(u_.size());
}

double HmmDrive::log_prior(std::span<const double> theta, std::span<double> gradient) {
  double log_density = constant_;
  for (std::size_t k = 0; k < 4; ++k) {
    log_density += (alpha_[k] - 1) * std::log(theta[k]);
    const double z = theta[4 + k] - kMean[k % 2];
    log_density -= 0.5 * z * z;
    if (gradient.empty()) continue;
    gradient[k] = (alpha_[k] - 1) / theta[k];
    gradient[4 + k] = -z;
  }
  return log_density;
}

double HmmDrive::emissions(std::span<const double> theta) {
  const double u_slope = theta[5] - theta[4], v_slope = theta[7] - theta[6];
  const double level = std::log(theta[5]) - std::log(theta[4]) + std::log(theta[7]) - std::log(theta[6]);
  const auto distance = [&](std::size_t t) { return level - u_slope * u_[t] - v_slope * v_[t]; };
  double sum = static_cast<double>(u_.size()) * (std::log(theta[4]) + std::log(theta[6])) - theta[4] * sum_u_ -
               theta[6] * sum_v_;  // Σ log density of the first state
  for (std::size_t t = 0; t < u_.size(); ++t) {
    const double d = distance(t);
    sum += std::max(d, 0.0);
    scaled_[t] = -std::abs(d);
  }
  exponentials(scaled_);
  for (std::size_t t = 0; t < u_.size(); ++t)
    emission_[t] = distance(t) > 0 ? Pair{scaled_[t], 1} : Pair{1, scaled_[t]};
  return sum;
}

double HmmDrive::forward(std::span<const double> theta) {
  double log_scale = 0;
  Pair now = emission_[0];
  forward_[0] = now;
  for (std::size_t t = 1; t < emission_.size(); ++t) {
    const Pair& emission = emission_[t];
    now = {(now[0] * theta[0] + now[1] * theta[2]) * emission[0],
           (now[0] * theta[1] + now[1] * theta[3]) * emission[1]};
    if (const double sum = now[0] + now[1]; sum < kSmall) {
      log_scale += std::log(sum);
      now = {now[0] / sum, now[1] / sum};
    }
    forward_[t] = now;
  }
  return log_scale + std::log(now[0] + now[1]);
}

void HmmDrive::backward(std::span<const double> theta, std::span<double> gradient) const {
  const auto count = static_cast<double>(u_.size());
  Pair later{1, 1};
  double inverse = 1 / (forward_.back()[0] + forward_.back()[1]);
  double share = forward_.back()[0] * inverse;  // probability of the first state
  double shares = share, u_share = share * u_.back(), v_share = share * v_.back();
  std::array<double, 4> moves{};  // expected number of transitions over their probability
  for (std::size_t t = emission_.size() - 1; t > 0; --t) {
    const Pair& before = forward_[t - 1];
    const Pair arrival{emission_[t][0] * later[0], emission_[t][1] * later[1]};
    later = {theta[0] * arrival[0] + theta[1] * arrival[1], theta[2] * arrival[0] + theta[3] * arrival[1]};
    inverse = 1 / (before[0] * later[0] + before[1] * later[1]);
    for (std::size_t i = 0; i < 2; ++i)
      for (std::size_t j = 0; j < 2; ++j) moves[2 * i + j] += before[i] * arrival[j] * inverse;
    share = before[0] * later[0] * inverse;
    shares += share;
    u_share += share * u_[t - 1];
    v_share += share * v_[t - 1];
    if (const double sum = later[0] + later[1]; sum < kSmall) later = {later[0] / sum, later[1] / sum};
  }
  std::copy(moves.begin(), moves.end(), gradient.begin());
  gradient[4] = shares / theta[4] - u_share;
  gradient[5] = (count - shares) / theta[5] - (sum_u_ - u_share);
  gradient[6] = shares / theta[6] - v_share;
  gradient[7] = (count - shares) / theta[7] - (sum_v_ - v_share);
}

double HmmDrive::log_likelihood(std::span<const double> theta, std::span<double> gradient) {
  for (double& entry : gradient) entry = 0;
  if (!(theta[4] > 0 && theta[6] > 0)) return kMinusInfinity;
  const double larger = emissions(theta);
  const double log_density = larger + forward(theta);
  if (!(log_density > kMinusInfinity)) return kMinusInfinity;
  if (!gradient.empty()) backward(theta, gradient);
  return log_density;
}

void HmmDrive::sample_prior(RandomStream& stream, std::span<double> theta) {
  for (std::size_t row = 0; row < 2; ++row) {
    theta[2 * row] = stream.beta(alpha_[2 * row], alpha_[2 * row + 1]);
    theta[2 * row + 1] = 1 - theta[2 * row];
  }
  for (std::size_t rates = 4; rates < 8; rates += 2) {
    do {
      for (std::size_t k = 0; k < 2; ++k) theta[rates + k] = kMean[k] + stream.normal();
    } while (!(theta[rates] > 0 && theta[rates] < theta[rates + 1]));
  }
}

}  // namespace

std::unique_ptr<Model> make_hmm_drive(JsonData& data) {
  return std::make_unique<HmmDrive>(data);
}

}  // namespace tempera::test
