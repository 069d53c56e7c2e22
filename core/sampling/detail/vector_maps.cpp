#include "core/sampling/detail/vector_maps.hpp"

#include <algorithm>
#include <limits>
#include <numbers>

namespace tempera::detail {

namespace {

double squared_length(In x) {
  double sum = 0;
  for (const double value : x) sum += value * value;
  return sum;
}

/// Rows of a K × K matrix stored whole.
std::size_t side_of(In theta) {
  return static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(theta.size()))));
}

double stick_logit(In u, std::size_t k) {
  return u[k] - std::log(static_cast<double>(u.size() - k));
}

}  // namespace

double OrderedMap::forward(In u, Out theta) const {
  double log_jacobian = positive ? u[0] : 0;
  theta[0] = positive ? std::exp(u[0]) : u[0];
  for (std::size_t k = 1; k < u.size(); ++k) {
    theta[k] = theta[k - 1] + std::exp(u[k]);
    log_jacobian += u[k];
  }
  return log_jacobian;
}

void OrderedMap::inverse(In theta, Out u) const {
  u[0] = positive ? std::log(theta[0]) : theta[0];
  for (std::size_t k = 1; k < u.size(); ++k) u[k] = std::log(theta[k] - theta[k - 1]);
}

void OrderedMap::pull_back(In u, In, In theta_gradient, Out u_gradient) const {
  double from_here_on = 0;
  for (std::size_t k = u.size(); k-- > 0;) {
    from_here_on += theta_gradient[k];
    u_gradient[k] = k > 0 || positive ? std::exp(u[k]) * from_here_on : from_here_on;
  }
}

void OrderedMap::add_jacobian_gradient(In u, In, Out u_gradient) const {
  for (std::size_t k = positive ? 0 : 1; k < u.size(); ++k) u_gradient[k] += 1;
}

double SimplexMap::forward(In u, Out theta) const {
  double left = 1;
  double log_left = 0;
  double log_jacobian = 0;
  for (std::size_t k = 0; k < u.size(); ++k) {
    const double v = stick_logit(u, k);
    const double e = std::exp(-std::abs(v));
    const double softplus = std::max(v, 0.0) + std::log1p(e);  // −log(1 − share)
    theta[k] = left * ((v >= 0 ? 1.0 : e) / (1 + e));
    left *= (v >= 0 ? e : 1.0) / (1 + e);
    log_jacobian += log_left + v - 2 * softplus;
    log_left -= softplus;
  }
  theta[u.size()] = left;
  return log_jacobian;
}

void SimplexMap::inverse(In theta, Out u) const {
  double rest = theta[u.size()];
  for (std::size_t k = u.size(); k-- > 0;) {
    u[k] = std::log(theta[k] / rest) + std::log(static_cast<double>(u.size() - k));
    rest += theta[k];
  }
}

void SimplexMap::pull_back(In u, In theta, In theta_gradient, Out u_gradient) const {
  double by_rest = theta_gradient[u.size()];  // derivative by what is left, per unit of it
  for (std::size_t k = u.size(); k-- > 0;) {
    const double share = logistic(stick_logit(u, k));
    const double rest_share = logistic(-stick_logit(u, k));
    u_gradient[k] = theta[k] * rest_share * (theta_gradient[k] - by_rest);
    by_rest = theta_gradient[k] * share + by_rest * rest_share;
  }
}

void SimplexMap::add_jacobian_gradient(In u, In, Out u_gradient) const {
  for (std::size_t k = 0; k < u.size(); ++k) {
    const double share = logistic(stick_logit(u, k));
    u_gradient[k] += 1 - share - static_cast<double>(u.size() - k) * share;
  }
}

double UnitVectorMap::forward(In u, Out theta) const {
  const double squared = squared_length(u);
  const double half_size = static_cast<double>(u.size()) / 2;
  const double length = std::sqrt(squared);
  if (length == 0) {  // no direction
    std::fill(theta.begin(), theta.end(), 0.0);
    theta[0] = 1;
    return -std::numeric_limits<double>::infinity();
  }
  for (std::size_t k = 0; k < u.size(); ++k) theta[k] = u[k] / length;
  return -squared / 2 - (half_size - 1) * std::numbers::ln2 - log_gamma(half_size);
}

void UnitVectorMap::inverse(In theta, Out u) const {
  std::copy(theta.begin(), theta.end(), u.begin());
}

void UnitVectorMap::pull_back(In u, In theta, In theta_gradient, Out u_gradient) const {
  const double length = std::sqrt(squared_length(u));
  double along = 0;
  for (std::size_t k = 0; k < u.size(); ++k) along += theta[k] * theta_gradient[k];
  for (std::size_t k = 0; k < u.size(); ++k) u_gradient[k] = (theta_gradient[k] - along * theta[k]) / length;
}

void UnitVectorMap::add_jacobian_gradient(In u, In, Out u_gradient) const {
  for (std::size_t k = 0; k < u.size(); ++k) u_gradient[k] -= u[k];
}

double CholeskyCorrelationMap::forward(In u, Out theta) const {
  const std::size_t side = side_of(theta);
  double log_jacobian = 0;
  std::size_t next = 0;
  for (std::size_t i = 0; i < side; ++i) {
    const Out row = theta.subspan(i * side, side);
    double left = 1;
    for (std::size_t j = 0; j < i; ++j, ++next) {
      row[j] = left * std::tanh(u[next]);
      left *= sech(u[next]);
      // sech² for tanh itself, and half of it for each later entry of the row, which shrinks with what is left
      log_jacobian += (1 + 0.5 * static_cast<double>(i - 1 - j)) * log_sech_squared(u[next]);
    }
    row[i] = left;
    std::fill(row.begin() + static_cast<std::ptrdiff_t>(i) + 1, row.end(), 0.0);
  }
  return log_jacobian;
}

void CholeskyCorrelationMap::inverse(In theta, Out u) const {
  const std::size_t side = side_of(theta);
  for (std::size_t i = 0; i < side; ++i) {
    const In row = theta.subspan(i * side, side);
    double left = row[i];
    for (std::size_t j = i; j-- > 0;) {
      u[i * (i - 1) / 2 + j] = std::asinh(row[j] / left);  // tanh u = a/√(a² + b²) ⇔ sinh u = a/b
      left = std::hypot(left, row[j]);
    }
  }
}

void CholeskyCorrelationMap::pull_back(In u, In theta, In theta_gradient, Out u_gradient) const {
  const std::size_t side = side_of(theta);
  for (std::size_t i = 0; i < side; ++i) {
    const In row = theta.subspan(i * side, side);
    const In gradient = theta_gradient.subspan(i * side, side);
    double left = row[i];
    double by_left = gradient[i];
    for (std::size_t j = i; j-- > 0;) {
      const std::size_t at = i * (i - 1) / 2 + j;
      const double tangent = std::tanh(u[at]);
      const double secant = sech(u[at]);
      left = std::hypot(left, row[j]);  // s_j
      u_gradient[at] = left * secant * (gradient[j] * secant - by_left * tangent);
      by_left = gradient[j] * tangent + by_left * secant;
    }
  }
}

void CholeskyCorrelationMap::add_jacobian_gradient(In u, In theta, Out u_gradient) const {
  const std::size_t side = side_of(theta);
  std::size_t next = 0;
  for (std::size_t i = 0; i < side; ++i)
    for (std::size_t j = 0; j < i; ++j, ++next) u_gradient[next] -= static_cast<double>(i + 1 - j) * std::tanh(u[next]);
}

double SumToZeroMap::forward(In u, Out theta) const {
  double sum = 0;
  theta[u.size()] = 0;
  for (std::size_t i = u.size(); i > 0; --i) {
    const double count = static_cast<double>(i);
    const double step = u[i - 1] / std::sqrt(count * (count + 1));
    theta[i] = sum - count * step;
    sum += step;
  }
  theta[0] = sum;
  return 0;
}

void SumToZeroMap::inverse(In theta, Out u) const {
  double sum = 0;
  for (std::size_t i = 1; i <= u.size(); ++i) {
    const double count = static_cast<double>(i);
    sum += theta[i - 1];
    u[i - 1] = (sum - count * theta[i]) / std::sqrt(count * (count + 1));
  }
}

void SumToZeroMap::pull_back(In, In, In theta_gradient, Out u_gradient) const {
  inverse(theta_gradient, u_gradient);
}

}  // namespace tempera::detail
