#include "core/sampling/explorers/detail/metric.hpp"

#include <cmath>

#include "core/base/contract.hpp"

namespace tempera {

Metric::Metric(const ChainTuning& tuning, bool dense) : scales_(tuning.scales) {
  if (dense) factor_ = tuning.covariance_factor;
  TEMPERA_EXPECTS(factor_.empty() || factor_.size() == scales_.size() * scales_.size());
}

/// of a diagonal metric, which is its own transpose
void Metric::add_scaled(double step, const double* from, double* to) const {
  const std::size_t n = scales_.size();
  const double* const scale = scales_.data();
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) to[i] += step * scale[i] * from[i];
}

void Metric::add_image(double step, std::span<const double> z, std::span<double> u) const {
  const std::size_t n = scales_.size();
  TEMPERA_EXPECTS(z.size() == n && u.size() == n);
  const double* const from = z.data();
  double* const to = u.data();
  if (!is_dense()) return add_scaled(step, from, to);
  for (std::size_t i = 0; i < n; ++i) {
    const double* const row = factor_.data() + i * n;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::size_t j = 0; j <= i; ++j) sum += row[j] * from[j];
    to[i] += step * sum;
  }
}

void Metric::add_pulled_back(double step, std::span<const double> g, std::span<double> z) const {
  const std::size_t n = scales_.size();
  TEMPERA_EXPECTS(g.size() == n && z.size() == n);
  const double* const from = g.data();
  double* const to = z.data();
  if (!is_dense()) return add_scaled(step, from, to);
  for (std::size_t i = 0; i < n; ++i) {
    const double* const row = factor_.data() + i * n;
    const double weight = step * from[i];
#pragma omp simd
    for (std::size_t j = 0; j <= i; ++j) to[j] += weight * row[j];
  }
}

void Metric::whiten(std::span<double> z) const {
  const std::size_t n = scales_.size();
  TEMPERA_EXPECTS(z.size() == n);
  for (std::size_t i = 0; i < n; ++i) {
    if (!is_dense()) {
      z[i] /= scales_[i];
      continue;
    }
    const double* const row = factor_.data() + i * n;
    double sum = z[i];
    for (std::size_t j = 0; j < i; ++j) sum -= row[j] * z[j];
    z[i] = sum / row[i];
  }
}

double Metric::log_volume() const {
  const std::size_t n = scales_.size();
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += std::log(is_dense() ? factor_[i * n + i] : scales_[i]);
  return sum;
}

double squared_norm(std::span<const double> x) {
  const double* const entry = x.data();
  const std::size_t n = x.size();
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < n; ++i) sum += entry[i] * entry[i];
  return sum;
}

}  // namespace tempera
