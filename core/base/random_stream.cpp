#include "core/base/random_stream.hpp"

#include <boost/math/special_functions/gamma.hpp>
#include <boost/random/exponential_distribution.hpp>
#include <boost/random/normal_distribution.hpp>
#include <cmath>
#include <numeric>

namespace tempera {

void RandomStream::pack_four(std::span<const Index> indices) {
  if (indices.size() > 4) throw ContractViolation("indices.size() <= 4", __FILE__, __LINE__);
  for (const Index index : indices)
    if (index < 0 || (index >> kFourthBits) != 0)
      throw ContractViolation("four indices lie in [0, 2^48)", __FILE__, __LINE__);
  const auto fourth = static_cast<std::uint64_t>(indices[3]);
  for (std::size_t i = 0; i < 3; ++i)
    counter_.v[i + 1] = static_cast<std::uint64_t>(indices[i]) | (((fourth >> (16 * i)) & 0xffffu) << kFourthBits);
}

double RandomStream::normal() {
  return boost::random::normal_distribution<double>()(*this);
}

double RandomStream::exponential() {
  return boost::random::exponential_distribution<double>()(*this);
}

double RandomStream::gamma_from_one_up(double shape) {
  const double d = shape - 1.0 / 3.0;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    const double u = uniform_open();
    constexpr double kSqueeze = 0.0331;  // Marsaglia & Tsang 2000, §5
    if (u < 1 - kSqueeze * (x * x) * (x * x)) return d * v;
    if (std::log(u) < 0.5 * x * x + d * (1 - v + std::log(v))) return d * v;
  }
}

double RandomStream::log_gamma_draw(double shape) {
  TEMPERA_EXPECTS(shape >= 1e-300 && std::isfinite(shape));
  if (shape >= 1) return std::log(gamma_from_one_up(shape));
  // Gamma(a) = Gamma(a + 1) · U^(1/a); in logarithms the power cannot underflow.
  const double boosted = std::log(gamma_from_one_up(shape + 1));
  return boosted + std::log(uniform_open()) / shape;
}

double RandomStream::gamma(double shape, double scale) {
  TEMPERA_EXPECTS(scale > 0);
  return scale * (shape >= 1 ? gamma_from_one_up(shape) : std::exp(log_gamma_draw(shape)));
}

double RandomStream::beta(double a, double b) {
  if (a >= 1 && b >= 1) {
    const double x = gamma_from_one_up(a);
    const double y = gamma_from_one_up(b);
    return x / (x + y);
  }
  const double log_x = log_gamma_draw(a);
  const double log_y = log_gamma_draw(b);
  return 1 / (1 + std::exp(log_y - log_x));
}

std::int64_t RandomStream::poisson(double mean) {
  TEMPERA_EXPECTS(mean >= 0 && mean <= 0x1p52);
  if (mean <= 0) return 0;
  return mean < 10 ? poisson_by_inversion(mean) : poisson_by_rejection(mean);
}

std::int64_t RandomStream::poisson_by_inversion(double mean) {
  constexpr std::int64_t kBeyondReach = 100;  // P(K ≥ 100) < 1e-60 for mean < 10: only rounding leads there
  const double none = std::exp(-mean);
  for (;;) {
    double rest = uniform();
    double probability = none;
    std::int64_t k = 0;
    while (rest >= probability && k < kBeyondReach) {
      rest -= probability;
      ++k;
      probability *= mean / static_cast<double>(k);
    }
    if (k < kBeyondReach) return k;
  }
}

// Hörmann 1993, "The transformed rejection method for generating Poisson random variables", algorithm PTRS. The
// probability comes from Boost.Math: k ln μ − μ − ln k! would cancel all its digits for large means.
std::int64_t RandomStream::poisson_by_rejection(double mean) {
  using Policy = boost::math::policies::policy<boost::math::policies::promote_double<false>>;
  const double b = 0.931 + 2.53 * std::sqrt(mean);
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = uniform() - 0.5;
    const double v = uniform_open();
    const double us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= v_r) return static_cast<std::int64_t>(k);
    if (!(k >= 0 && k < 0x1p62) || (us < 0.013 && v > us)) continue;
    const double probability = boost::math::gamma_p_derivative(k + 1, mean, Policy());
    if (v * inverse_alpha <= probability * (a / (us * us) + b)) return static_cast<std::int64_t>(k);
  }
}

Index RandomStream::categorical(std::span<const double> weights) {
  double total = 0;
  for (const double weight : weights) {
    TEMPERA_EXPECTS(weight >= 0 && std::isfinite(weight));
    total += weight;
  }
  TEMPERA_EXPECTS(total > 0);
  const double target = uniform() * total;
  double sum = 0;
  Index last = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    sum += weights[i];
    last = static_cast<Index>(i);
    if (target < sum) break;
  }
  return last;
}

std::vector<Index> RandomStream::permutation(Index n) {
  TEMPERA_EXPECTS(n >= 0);
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Index{0});
  shuffle(order);
  return order;
}

}  // namespace tempera
