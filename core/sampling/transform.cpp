#include "core/sampling/transform.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/sampling/detail/scalar_maps.hpp"
#include "core/sampling/detail/vector_maps.hpp"

namespace tempera {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void require_finite(double bound, const char* name) {
  if (!std::isfinite(bound))
    throw Error(Category::input, "", fmt::format("the {} bound of a parameter is {}", name, bound),
                "leave the bound away, or give a finite one");
}

}  // namespace

/// action(map) for the map that this transform stands for.
template <class Action>
auto Transform::with_map(Action action) const {
  switch (kind_) {
    case Kind::lower: return action(detail::HalfLineMap{first_, 1});
    case Kind::upper: return action(detail::HalfLineMap{first_, -1});
    case Kind::interval: return action(detail::IntervalMap{first_, second_});
    case Kind::ordered: return action(detail::OrderedMap{false});
    case Kind::positive_ordered: return action(detail::OrderedMap{true});
    case Kind::simplex: return action(detail::SimplexMap{});
    case Kind::unit_vector: return action(detail::UnitVectorMap{});
    case Kind::cholesky_correlation: return action(detail::CholeskyCorrelationMap{});
    case Kind::sum_to_zero: return action(detail::SumToZeroMap{});
    case Kind::identity: break;
  }
  return action(detail::IdentityMap{});
}

Transform Transform::lower(double bound) {
  require_finite(bound, "lower");
  return Transform(Kind::lower, bound);
}

Transform Transform::upper(double bound) {
  require_finite(bound, "upper");
  return Transform(Kind::upper, bound);
}

Transform Transform::interval(double lower, double upper) {
  require_finite(lower, "lower");
  require_finite(upper, "upper");
  if (!(lower < upper))
    throw Error(Category::input, "", fmt::format("no number lies above {} and below {}", lower, upper),
                "the lower bound of a parameter must lie below the upper one");
  return Transform(Kind::interval, lower, upper);
}

double Transform::lower_bound() const {
  return kind_ == Kind::lower || kind_ == Kind::interval ? first_ : -kInfinity;
}

double Transform::upper_bound() const {
  if (kind_ == Kind::upper) return first_;
  return kind_ == Kind::interval ? second_ : kInfinity;
}

std::string Transform::text() const {
  switch (kind_) {
    case Kind::identity: return "identity";
    case Kind::lower: return fmt::format("lower({})", first_);
    case Kind::upper: return fmt::format("upper({})", first_);
    case Kind::interval: return fmt::format("interval({}, {})", first_, second_);
    case Kind::ordered: return "ordered";
    case Kind::positive_ordered: return "positive ordered";
    case Kind::simplex: return "simplex";
    case Kind::unit_vector: return "unit vector";
    case Kind::cholesky_correlation: return "Cholesky factor of a correlation matrix";
    case Kind::sum_to_zero: return "sum to zero";
  }
  return "";
}

int Transform::order() const {
  switch (kind_) {
    case Kind::identity:
    case Kind::lower:
    case Kind::upper:
    case Kind::interval: return 0;
    case Kind::cholesky_correlation: return 2;
    default: return 1;
  }
}

Index Transform::unconstrained_size(Index constrained_size) const {
  switch (kind_) {
    case Kind::simplex:
    case Kind::sum_to_zero: return constrained_size - 1;
    case Kind::cholesky_correlation: {
      const auto side = static_cast<Index>(std::lround(std::sqrt(static_cast<double>(constrained_size))));
      return side * (side - 1) / 2;
    }
    default: return constrained_size;
  }
}

double Transform::constrain(std::span<const double> u, std::span<double> theta) const {
  TEMPERA_EXPECTS(!theta.empty() && std::ssize(u) == unconstrained_size(std::ssize(theta)));
  return with_map([&](const auto& map) { return map.forward(u, theta); });
}

void Transform::unconstrain(std::span<const double> theta, std::span<double> u) const {
  TEMPERA_EXPECTS(!theta.empty() && std::ssize(u) == unconstrained_size(std::ssize(theta)));
  with_map([&](const auto& map) { map.inverse(theta, u); });
}

void Transform::pull_back(std::span<const double> u, std::span<const double> theta,
                          std::span<const double> theta_gradient, std::span<double> u_gradient) const {
  TEMPERA_EXPECTS(u_gradient.size() == u.size() && theta_gradient.size() == theta.size());
  with_map([&](const auto& map) { map.pull_back(u, theta, theta_gradient, u_gradient); });
}

void Transform::add_jacobian_gradient(std::span<const double> u, std::span<const double> theta,
                                      std::span<double> u_gradient) const {
  TEMPERA_EXPECTS(u_gradient.size() == u.size());
  with_map([&](const auto& map) { map.add_jacobian_gradient(u, theta, u_gradient); });
}

}  // namespace tempera
