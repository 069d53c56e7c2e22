#include "core/sampling/evidence.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/contract.hpp"
#include "core/sampling/diagnostics.hpp"
#include "core/sampling/schedule.hpp"

namespace tempera {

namespace {

constexpr double kFar = 4;  // standard errors between two ways that should agree

using Span = std::span<const double>;

double mean_of(Span values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// log mean exp of the values; −∞ where all are.
double log_mean_exp(Span values) {
  const double largest = *std::max_element(values.begin(), values.end());
  if (std::isinf(largest)) return largest;
  double sum = 0;
  for (const double value : values) sum += std::exp(value - largest);
  return largest + std::log(sum / static_cast<double>(values.size()));
}

double standard_error(Span series) {
  const Span chains[] = {series};
  return mcse_mean(chains);
}

/// β V, where nothing times no likelihood is nothing.
double scaled(double beta, double likelihood) {
  return beta == 0 ? 0 : beta * likelihood;
}

struct Traces {
  Span schedule, likelihoods;
  std::size_t scans;

  std::size_t chains() const { return schedule.size(); }
  Span of(std::size_t chain) const { return likelihoods.subspan(chain * scans, scans); }
  double step(std::size_t pair) const { return schedule[pair + 1] - schedule[pair]; }
};

/// Adds to `influence` what each scan does to log mean exp(exponents), times `share`; returns that logarithm.
double add_influence(Span exponents, double share, std::vector<double>& influence) {
  const double value = log_mean_exp(exponents);
  for (std::size_t t = 0; t < exponents.size(); ++t) influence[t] += share * (std::exp(exponents[t] - value) - 1);
  return value;
}

struct Estimate {
  double value = 0, error = 0;
};

struct SteppingStones {
  Estimate forward, reverse, both;
};

SteppingStones stepping_stones(const Traces& traces) {
  std::vector<double> exponents(traces.scans);
  std::vector<double> forward(traces.scans, 0.0), reverse = forward, both = forward;
  SteppingStones stones;
  for (std::size_t i = 0; i + 1 < traces.chains(); ++i) {
    const double step = traces.step(i);
    std::ranges::transform(traces.of(i), exponents.begin(), [&](double v) { return step * v; });
    stones.forward.value += add_influence(exponents, 1, forward);
    std::ranges::transform(traces.of(i + 1), exponents.begin(), [&](double v) { return -step * v; });
    stones.reverse.value -= add_influence(exponents, -1, reverse);
  }
  for (std::size_t t = 0; t < traces.scans; ++t) both[t] = 0.5 * (forward[t] + reverse[t]);
  stones.both.value = 0.5 * (stones.forward.value + stones.reverse.value);
  stones.forward.error = standard_error(forward);
  stones.reverse.error = standard_error(reverse);
  stones.both.error = standard_error(both);
  return stones;
}

Estimate thermodynamic(const Traces& traces) {
  std::vector<double> influence(traces.scans, 0.0);
  Estimate estimate;
  std::vector<double> means, variances;
  for (std::size_t c = 0; c < traces.chains(); ++c) {
    const Span values = traces.of(c);
    means.push_back(mean_of(values));
    double squares = 0;
    for (const double v : values) squares += (v - means[c]) * (v - means[c]);
    variances.push_back(squares / static_cast<double>(traces.scans));
  }
  for (std::size_t i = 0; i + 1 < traces.chains(); ++i) {
    const double step = traces.step(i), second = step * step / 12;
    estimate.value += 0.5 * step * (means[i] + means[i + 1]) - second * (variances[i + 1] - variances[i]);
    for (const std::size_t c : {i, i + 1}) {
      const double sign = c == i ? 1 : -1;
      const Span values = traces.of(c);
      for (std::size_t t = 0; t < traces.scans; ++t) {
        const double deviation = values[t] - means[c];
        influence[t] += 0.5 * step * deviation + sign * second * (deviation * deviation - variances[c]);
      }
    }
  }
  estimate.error = standard_error(influence);
  return estimate;
}

/// Bennett's equations for all chains at once: minimises the convex Σ_n log Σ_k N exp(f_k + β_k V_n) − Σ_k N f_k by
/// Newton's method; f_0 = 0 and log Z = −f of the last chain.
class Bennett {
 public:
  Bennett(const Traces& traces, std::vector<double> start) : traces_(traces), f_(std::move(start)) {}

  Estimate solve() {
    minimise();
    return {-f_.back(), standard_error(influence())};
  }

  /// Shares of the target's chain in the mixture at each draw, over the number of its draws. @pre solve() or minimise()
  std::vector<double> target_weights() {
    std::vector<double> weights;
    double sum = 0;
    for (const double likelihood : traces_.likelihoods) {
      weigh(likelihood);
      weights.push_back(weights_[weights_.size() - 1]);
      sum += weights.back();
    }
    for (double& weight : weights) weight /= sum;
    return weights;
  }

  void minimise() {
    constexpr int kMostSteps = 100;
    constexpr double kDone = 1e-12;
    for (int step = 0; step < kMostSteps; ++step) {
      accumulate();
      const Eigen::VectorXd change = -hessian_.ldlt().solve(gradient_);
      const double largest = change.cwiseAbs().maxCoeff();
      const double damping = largest > 1 ? 1 / largest : 1;
      for (Eigen::Index k = 0; k < change.size(); ++k) f_[static_cast<std::size_t>(k) + 1] += damping * change[k];
      if (largest < kDone * (1 + std::abs(f_.back()))) break;
    }
    accumulate();
  }

 private:
  /// Shares of the chains in the mixture at one draw; they add up to 1.
  void weigh(double likelihood) {
    double largest = -std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < f_.size(); ++k) {
      weights_[static_cast<Eigen::Index>(k)] = f_[k] + scaled(traces_.schedule[k], likelihood);
      largest = std::max(largest, weights_[static_cast<Eigen::Index>(k)]);
    }
    weights_ = (weights_.array() - largest).exp();
    weights_ /= weights_.sum();
  }

  void accumulate() {
    const auto free = static_cast<Eigen::Index>(f_.size()) - 1;
    gradient_ = Eigen::VectorXd::Constant(free, -static_cast<double>(traces_.scans));
    hessian_ = Eigen::MatrixXd::Zero(free, free);
    for (const double likelihood : traces_.likelihoods) {
      weigh(likelihood);
      const auto tail = weights_.tail(free);
      gradient_ += tail;
      hessian_.noalias() -= tail * tail.transpose();
      hessian_.diagonal() += tail;
    }
  }

  std::vector<double> influence() {
    const auto free = static_cast<Eigen::Index>(f_.size()) - 1;
    Eigen::VectorXd last = Eigen::VectorXd::Zero(free);
    last[free - 1] = static_cast<double>(traces_.scans);
    const Eigen::VectorXd direction = hessian_.ldlt().solve(last);
    std::vector<double> series(traces_.scans, 0.0);
    for (std::size_t c = 0; c < traces_.chains(); ++c)
      for (std::size_t t = 0; t < traces_.scans; ++t) {
        weigh(traces_.of(c)[t]);
        series[t] += direction.dot(weights_.tail(free)) - (c > 0 ? direction[static_cast<Eigen::Index>(c) - 1] : 0.0);
      }
    return series;
  }

  Traces traces_;
  std::vector<double> f_;
  Eigen::VectorXd weights_ = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(f_.size()));
  Eigen::VectorXd gradient_;
  Eigen::MatrixXd hessian_;
};

/// f of all chains from the half sums of the stepping stones.
std::vector<double> free_energies(const Traces& traces) {
  std::vector<double> f{0}, exponents(traces.scans);
  for (std::size_t i = 0; i + 1 < traces.chains(); ++i) {
    const double step = traces.step(i);
    std::ranges::transform(traces.of(i), exponents.begin(), [&](double v) { return step * v; });
    const double forward = log_mean_exp(exponents);
    std::ranges::transform(traces.of(i + 1), exponents.begin(), [&](double v) { return -step * v; });
    f.push_back(f.back() - 0.5 * (forward - log_mean_exp(exponents)));
  }
  return f;
}

bool far_apart(const Estimate& a, const Estimate& b) {
  const double gap = std::abs(a.value - b.value);
  return std::isfinite(gap) && gap > kFar * std::hypot(a.error, b.error);
}

/// Mean of a function over an interval, whose reciprocal is a straight line between the reciprocals of a and b.
double mean_of_reciprocal_line(double a, double b) {
  const double low = std::min(a, b), high = std::max(a, b);
  if (low <= 0) return 0.5 * high;
  const double x = (high - low) / low;
  return x < 1e-6 ? 0.5 * (low + high) : high * std::log1p(x) / x;
}

Traces checked(Span schedule, Span likelihoods, Index scans) {
  TEMPERA_EXPECTS(schedule.size() >= 2 && scans >= 1 &&
                  likelihoods.size() == schedule.size() * static_cast<std::size_t>(scans));
  return {schedule, likelihoods, static_cast<std::size_t>(scans)};
}

}  // namespace

Evidence estimate_evidence(Span schedule, Span likelihoods, Index scans) {
  const Traces traces = checked(schedule, likelihoods, scans);
  const SteppingStones stones = stepping_stones(traces);
  const Estimate integral = thermodynamic(traces);
  const Estimate bennett = Bennett(traces, free_energies(traces)).solve();
  Evidence evidence;
  evidence.estimate = bennett.value;
  evidence.standard_error = bennett.error;
  evidence.forward = stones.forward.value;
  evidence.forward_error = stones.forward.error;
  evidence.reverse = stones.reverse.value;
  evidence.reverse_error = stones.reverse.error;
  evidence.stepping_stone = stones.both.value;
  evidence.stepping_stone_error = stones.both.error;
  evidence.thermodynamic = integral.value;
  evidence.thermodynamic_error = integral.error;
  evidence.disagree = far_apart(stones.forward, bennett) && far_apart(stones.reverse, bennett);
  return evidence;
}

std::vector<double> target_weights(Span schedule, Span likelihoods, Index scans) {
  const Traces traces = checked(schedule, likelihoods, scans);
  Bennett bennett(traces, free_energies(traces));
  bennett.minimise();
  return bennett.target_weights();
}

double communication_barrier(Span schedule, Span likelihoods, Index scans) {
  const Traces traces = checked(schedule, likelihoods, scans);
  TEMPERA_EXPECTS(scans >= 2);
  const std::size_t half = traces.scans / 2;
  std::vector<double> local;  // λ
  for (std::size_t c = 0; c < traces.chains(); ++c) {
    const Span values = traces.of(c);
    double sum = 0;
    for (std::size_t t = 0; t < half; ++t) sum += std::abs(values[t] - values[t + half]);
    local.push_back(0.5 * sum / static_cast<double>(half));
  }
  double barrier = 0;
  for (std::size_t i = 0; i + 1 < traces.chains(); ++i)
    barrier += traces.step(i) * mean_of_reciprocal_line(local[i], local[i + 1]);
  return barrier;
}

}  // namespace tempera
