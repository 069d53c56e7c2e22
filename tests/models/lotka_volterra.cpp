#include <algorithm>
#include <array>
#include <boost/numeric/odeint/algebra/array_algebra.hpp>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <cmath>
#include <limits>

#include "core/sampling/detail/densities.hpp"
#include "tests/models/factories.hpp"
#include "tests/models/half_line.hpp"

namespace tempera::test {

namespace {

namespace odeint = boost::numeric::odeint;
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

/// What is integrated of a species: its number and, if gradients are wanted, the derivatives by a, b, c, d and both
/// initial numbers (one lane is left over). Hares come first, then lynxes.
template <std::size_t lanes>
using State = std::array<double, 2 * lanes>;
constexpr std::size_t kNumberAlone = 1;
constexpr std::size_t kWithDerivatives = 8;

template <std::size_t lanes>
struct Rates {
  double a, b, c, d;

  void operator()(const State<lanes>& z, State<lanes>& slope, double) const {
    const double* hares = z.data();
    const double* lynxes = hares + lanes;
    const double hare_rate = a - b * lynxes[0], lynx_rate = d * hares[0] - c;
    const double hares_eaten = b * hares[0], lynxes_fed = d * lynxes[0];
    for (std::size_t k = 0; k < lanes; ++k) {
      slope[k] = hare_rate * hares[k] - hares_eaten * lynxes[k];
      slope[lanes + k] = lynx_rate * lynxes[k] + lynxes_fed * hares[k];
    }
    slope[0] = hare_rate * hares[0];
    slope[lanes] = lynx_rate * lynxes[0];
    if constexpr (lanes == kWithDerivatives) {
      slope[1] += hares[0];
      slope[2] -= hares[0] * lynxes[0];
      slope[lanes + 3] -= lynxes[0];
      slope[lanes + 4] += hares[0] * lynxes[0];
    }
  }
};

/// The error of a step is that of the numbers alone, so that a gradient comes with the very steps of its value.
template <std::size_t lanes>
struct NumberError {
  using value_type = double;
  using algebra_type = odeint::array_algebra;
  using operations_type = odeint::default_operations;
  double absolute, relative;

  double error(algebra_type&, const State<lanes>& z, const State<lanes>& slope, const State<lanes>& error,
               double step) const {
    const auto scaled = [&](std::size_t i) {
      return std::abs(error[i]) / (absolute + relative * (std::abs(z[i]) + std::abs(step * slope[i])));
    };
    return std::max(scaled(0), scaled(lanes));
  }
};

template <std::size_t lanes>
class Orbit {
 public:
  Orbit(const Rates<lanes>& rates, double hares, double lynxes, double absolute, double relative)
      : rates_(rates), stepper_({absolute, relative}) {
    z_[0] = hares;
    z_[lanes] = lynxes;
    if constexpr (lanes == kWithDerivatives) z_[5] = z_[lanes + 6] = 1;
  }

  /// On to a later time. False where that takes too many steps.
  bool reach(double end) {
    constexpr int kMostSteps = 2000;  // in all
    while (time_ < end) {
      if (++steps_ > kMostSteps) return false;
      const double pieces = std::ceil((end - time_) / step_ * (1 - 1e-9));
      const double before = time_;
      double tried = (end - time_) / pieces;
      const bool last = pieces <= 1;
      if (stepper_.try_step(rates_, z_, time_, tried) == odeint::success && last) time_ = end;
      // A step that was cut short tells of a smaller size than would do.
      step_ = time_ > before ? std::max(tried, step_ * 0.9) : tried;
    }
    return true;
  }
  const State<lanes>& at() const { return z_; }

 private:
  using Stepper = odeint::runge_kutta_dopri5<State<lanes>, double, State<lanes>, double, odeint::array_algebra>;

  Rates<lanes> rates_;
  odeint::controlled_runge_kutta<Stepper, NumberError<lanes>> stepper_;
  State<lanes> z_{};
  double time_ = 0;
  double step_ = 0.5;
  int steps_ = 0;
};

class LotkaVolterra final : public Model {
 public:
  LotkaVolterra(JsonData& data, double relative, double absolute);

  std::vector<ParameterBlock> parameters() const override {
    return {
        {"theta", {4}, Transform::lower(0)}, {"z_init", {2}, Transform::lower(0)}, {"sigma", {2}, Transform::lower(0)}};
  }
  double log_prior(std::span<const double> theta, std::span<double> gradient) override;
  double log_likelihood(std::span<const double> theta, std::span<double> gradient) override;
  bool has_gradient() const override { return true; }
  bool samples_prior() const override { return true; }
  bool normalised_prior() const override { return true; }
  void sample_prior(RandomStream& stream, std::span<double> theta) override;
  std::unique_ptr<Model> clone() const override { return std::make_unique<LotkaVolterra>(*this); }

 private:
  template <std::size_t lanes>
  double log_density(std::span<const double> theta, std::span<double> gradient) const;

  double relative_, absolute_;
  std::vector<double> times_;
  std::array<double, 2> log_first_{};               // logs of the numbers seen at time 0
  std::vector<std::array<double, 2>> log_numbers_;  // and later
  double constant_ = 0;                             // of the likelihood
};

constexpr std::array<double, 4> kRateMean{1, 0.05, 1, 0.05};
constexpr std::array<double, 4> kRateSd{0.5, 0.05, 0.5, 0.05};
/// Log-normal priors of z_init and sigma.
const std::array<double, 2> kLogMean{std::log(10.0), -1};
constexpr double kLogSd = 1;

LotkaVolterra::LotkaVolterra(JsonData& data, double relative, double absolute)
    : relative_(relative), absolute_(absolute) {
  constexpr OptionRange kPositive{.minimum = 0, .minimum_excluded = true};
  const Index count = data.integer("N", {.minimum = 1});
  times_ = data.numbers("ts", {count}, kPositive);
  const std::vector<double> first = data.numbers("y_init", {2}, kPositive);
  const std::vector<double> later = data.numbers("y", {count, 2}, kPositive);
  constant_ = -0.5 * detail::kLogTwoPi * static_cast<double>(2 * (count + 1));
  for (std::size_t k = 0; k < 2; ++k) constant_ -= log_first_[k] = std::log(first[k]);
  for (std::size_t t = 0; t < times_.size(); ++t) {
    log_numbers_.push_back({std::log(later[2 * t]), std::log(later[2 * t + 1])});
    constant_ -= log_numbers_.back()[0] + log_numbers_.back()[1];
  }
}

double LotkaVolterra::log_prior(std::span<const double> theta, std::span<double> gradient) {
  static const double rate_constants = [] {
    double sum = 0;
    for (std::size_t k = 0; k < 4; ++k)
      sum -= 0.5 * detail::kLogTwoPi + std::log(kRateSd[k]) + log_positive_mass(kRateMean[k], kRateSd[k]);
    return sum;
  }();
  double log_density = rate_constants;
  for (std::size_t k = 0; k < 4; ++k) {
    const double z = (theta[k] - kRateMean[k]) / kRateSd[k];
    log_density -= 0.5 * z * z;
    if (!gradient.empty()) gradient[k] = -z / kRateSd[k];
  }
  for (std::size_t k = 4; k < 8; ++k) {
    if (!(theta[k] > 0)) return kMinusInfinity;
    const double logarithm = std::log(theta[k]);
    const double z = (logarithm - kLogMean[k / 2 - 2]) / kLogSd;
    log_density -= 0.5 * (z * z + detail::kLogTwoPi) + std::log(kLogSd) + logarithm;
    if (!gradient.empty()) gradient[k] = -(z / kLogSd + 1) / theta[k];
  }
  return log_density;
}

template <std::size_t lanes>
double LotkaVolterra::log_density(std::span<const double> theta, std::span<double> gradient) const {
  constexpr bool kWanted = lanes == kWithDerivatives;
  const std::array<double, 2> sigma{theta[6], theta[7]};
  std::array<double, 2> squares{};
  std::array<double, 2> precision{1 / (sigma[0] * sigma[0]), 1 / (sigma[1] * sigma[1])};
  for (std::size_t k = 0; k < 2; ++k) {
    const double residual = log_first_[k] - std::log(theta[4 + k]);
    squares[k] = residual * residual;
    if constexpr (kWanted) gradient[4 + k] = residual * precision[k] / theta[4 + k];
  }
  std::array<double, lanes> sums{};
  Orbit<lanes> orbit({theta[0], theta[1], theta[2], theta[3]}, theta[4], theta[5], absolute_, relative_);
  for (std::size_t t = 0; t < times_.size(); ++t) {
    if (!orbit.reach(times_[t])) return kMinusInfinity;
    for (std::size_t k = 0; k < 2; ++k) {
      const double* z = orbit.at().data() + k * lanes;
      if (!(z[0] > 0 && z[0] < std::numeric_limits<double>::max())) return kMinusInfinity;
      const double residual = log_numbers_[t][k] - std::log(z[0]);
      squares[k] += residual * residual;
      const double slope = residual * precision[k] / z[0];
      for (std::size_t lane = 1; lane < lanes; ++lane) sums[lane] += slope * z[lane];
    }
  }
  const auto count = static_cast<double>(times_.size() + 1);
  if constexpr (kWanted) {
    for (std::size_t j = 0; j < 6; ++j) gradient[j] += sums[1 + j];
    for (std::size_t k = 0; k < 2; ++k) gradient[6 + k] = (squares[k] * precision[k] - count) / sigma[k];
  }
  return constant_ - 0.5 * (squares[0] * precision[0] + squares[1] * precision[1]) -
         count * std::log(sigma[0] * sigma[1]);
}

double LotkaVolterra::log_likelihood(std::span<const double> theta, std::span<double> gradient) {
  for (double& entry : gradient) entry = 0;
  const double value =
      gradient.empty() ? log_density<kNumberAlone>(theta, {}) : log_density<kWithDerivatives>(theta, gradient);
  return value > kMinusInfinity ? value : kMinusInfinity;
}

void LotkaVolterra::sample_prior(RandomStream& stream, std::span<double> theta) {
  for (std::size_t k = 0; k < 4; ++k) theta[k] = positive_normal_draw(stream, kRateMean[k], kRateSd[k]);
  for (std::size_t k = 4; k < 8; ++k) theta[k] = std::exp(kLogMean[k / 2 - 2] + kLogSd * stream.normal());
}

}  // namespace

std::unique_ptr<Model> make_lotka_volterra(JsonData& data, double relative, double absolute) {
  return std::make_unique<LotkaVolterra>(data, relative, absolute);
}

}  // namespace tempera::test
