#include "core/sampling/targets/ising.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/base/option_schema.hpp"
#include "core/sampling/detail/densities.hpp"
#include "core/sampling/detail/lattice.hpp"

namespace tempera {

namespace {

/// A number as its sign and the logarithm of its size: the four products of Kaufman's formula overflow, and the last is
/// negative above the critical temperature.
struct Signed {
  double sign;
  double log_size;
};

/// log of the sum, which must be positive.
double log_sum(std::span<const Signed> terms) {
  double largest = terms[0].log_size;
  for (const Signed& term : terms) largest = std::max(largest, term.log_size);
  double sum = 0;
  for (const Signed& term : terms) sum += term.sign * std::exp(term.log_size - largest);
  return largest + std::log(sum);
}

/// log(2 cosh x) and log |2 sinh x|.
double log_two_cosh(double x) {
  return std::abs(x) + std::log1p(std::exp(-2 * std::abs(x)));
}
double log_two_sinh(double x) {
  return std::abs(x) + std::log(-std::expm1(-2 * std::abs(x)));
}

/// γ_l of Kaufman: cosh γ_l = coth(2β) cosh(2β) − cos(π l/n), l = 0 … 2n − 1; γ_0 carries the sign of β − β_c.
double gamma_of(Index l, Index size, double beta) {
  if (l == 0) return 2 * beta + std::log(std::tanh(beta));
  const double cosine = std::cos(std::numbers::pi * static_cast<double>(l) / static_cast<double>(size));
  return std::acosh(std::cosh(2 * beta) / std::tanh(2 * beta) - cosine);
}

}  // namespace

void IsingOptions::declare(OptionSchema& schema) {
  schema.integer("size", size).minimum(2).maximum(1e4).help("spins along a side");
  schema.real("beta", beta).minimum(0).help("coupling over temperature");
}

IsingTarget::IsingTarget(const IsingOptions& options)
    : Target({{"spin", {options.size, options.size}, Transform::identity()}}),
      size_(options.size),
      beta_(options.beta) {}

LogDensity IsingTarget::evaluate(std::span<const double> u, [[maybe_unused]] std::span<double> reference_gradient,
                                 std::span<double>) {
  TEMPERA_EXPECTS(reference_gradient.empty());
  const auto same = [](double a, double b) { return std::signbit(a) == std::signbit(b) ? 1.0 : -1.0; };
  return {-0.5 * (detail::squared_norm(u) + static_cast<double>(u.size()) * detail::kLogTwoPi),
          beta_ * detail::sum_over_bonds(u, static_cast<std::size_t>(size_), same)};
}

void IsingTarget::sample_reference(RandomStream& stream, std::span<double> u) {
  for (double& value : u) value = stream.normal();
}

void IsingTarget::constrain(std::span<const double> u, std::span<double> theta) const {
  for (std::size_t i = 0; i < u.size(); ++i) theta[i] = std::copysign(1.0, u[i]);
}

void IsingTarget::unconstrain(std::span<const double> theta, std::span<double> u) const {
  for (std::size_t i = 0; i < u.size(); ++i) {
    if (std::abs(theta[i]) != 1)
      throw Error(Category::input, "parameter spin", fmt::format("{} is not a spin", theta[i]), "spins are 1 or -1");
    u[i] = theta[i];
  }
}

double IsingTarget::log_evidence() const {
  if (beta_ == 0) return 0;
  const auto count = static_cast<double>(size_ * size_);
  std::array<Signed, 4> products{Signed{1, 0}, Signed{1, 0}, Signed{1, 0}, Signed{1, 0}};
  for (Index l = 0; l < 2 * size_; ++l) {
    const double half = 0.5 * static_cast<double>(size_) * gamma_of(l, size_, beta_);
    const std::size_t at = l % 2 == 1 ? 0 : 2;
    products[at].log_size += log_two_cosh(half);
    products[at + 1].log_size += log_two_sinh(half);
    if (half < 0) products[at + 1].sign = -products[at + 1].sign;
  }
  // Z = ½ (2 sinh 2β)^{n²/2} (∏ 2 cosh + ∏ 2 sinh over odd l, then over even l)
  return -std::numbers::ln2 + 0.5 * count * log_two_sinh(2 * beta_) + log_sum(products) - count * std::numbers::ln2;
}

}  // namespace tempera
