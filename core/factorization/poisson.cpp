#include "core/factorization/poisson.hpp"

#include <lapacke.h>

#include <algorithm>
#include <cmath>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

constexpr double kNegligible =
    1e-200;                          // smaller entries become 0: products of denormal numbers are slow and mean nothing
constexpr double kProximal = 1e-12;  // on the unit diagonal; the Hessian of a row with few counts is singular
constexpr int kCoordinateSweeps = 3;

/// (−ln(1 − q) − q) / q².
double curvature_growth(double q) {
  return q < 1e-3 ? 0.5 + q / 3 : (-std::log1p(-q) - q) / (q * q);
}

double step_length(double decrease, double curvature, double ratio) {
  const double q = std::min(ratio, std::sqrt(curvature));
  // The full step if the bound promises a tenth of what the linear model does; it reaches zeros exactly.
  if (q <= 0.5 && curvature * curvature_growth(q) <= 0.9 * decrease) return 1;
  return std::min(1.0, decrease / (curvature + decrease * q));
}

}  // namespace

double count_kkt(std::span<const double> b, std::span<const double> phi, std::span<const double> s) {
  double largest = 0;
  for (std::size_t r = 0; r < b.size(); ++r) largest = std::max(largest, std::abs(std::min(b[r], s[r] - phi[r])));
  return largest;
}

bool shift_inadmissible_zeros(std::span<double> b, std::span<const double> phi, std::span<const double> s,
                              std::span<const double> scale) {
  const auto inadmissible = [&](std::size_t r) { return b[r] < kInadmissibleZero * scale[r] && phi[r] > s[r]; };
  double count = 0;
  for (std::size_t r = 0; r < b.size(); ++r) count += inadmissible(r) ? 1 : 0;
  for (std::size_t r = 0; r < b.size(); ++r)
    if (inadmissible(r)) b[r] += std::min(kInadmissibleShift * scale[r], (phi[r] - s[r]) / (count * phi[r] * phi[r]));
  return count > 0;
}

void multiplicative_step(std::span<double> b, std::span<const double> phi, std::span<const double> s) {
  for (std::size_t r = 0; r < b.size(); ++r) {
    if (s[r] > 0) b[r] *= phi[r] / s[r];
    if (b[r] < kNegligible) b[r] = 0;
  }
}

CountNewton::CountNewton(Index rank)
    : rank_(static_cast<std::size_t>(rank)),
      phi_(rank_),
      matrix_(rank_ * rank_),
      scale_(rank_),
      linear_(rank_),
      start_(rank_),
      y_(rank_),
      candidate_(rank_) {}

void CountNewton::step(std::span<double> b, std::span<const double> phi, std::span<const double> hessian,
                       std::span<const double> s) {
  TEMPERA_EXPECTS(b.size() == rank_ && hessian.size() == rank_ * (rank_ + 1) / 2);
  if (!scale_row(b, phi, hessian, s)) return multiplicative_step(b, phi, s);
  if (!find_direction(b, s)) return multiplicative_step(b, phi_, s);
  double decrease = 0, curvature = 0, ratio = 0;
  for (std::size_t i = 0; i < rank_; ++i) {
    if (scale_[i] == 0) continue;
    const double d = y_[i] - start_[i];
    decrease -= d * scale_[i] * (s[i] - phi_[i]);
    for (std::size_t j = 0; j < rank_; ++j)
      if (scale_[j] != 0) curvature += d * h(i, j) * (y_[j] - start_[j]);
    if (d < 0) ratio = std::max(ratio, std::min(1.0, -d / start_[i]));
  }
  if (!(decrease > 0) || !(curvature >= 0) || !std::isfinite(decrease) || !std::isfinite(curvature)) {
    if (decrease != 0) multiplicative_step(b, phi_, s);  // at 0 the row is optimal
    return;
  }
  const double t = step_length(decrease, curvature, ratio);
  for (std::size_t r = 0; r < rank_; ++r) {
    if (scale_[r] == 0) continue;
    b[r] = t == 1 ? scale_[r] * y_[r] : b[r] + t * (scale_[r] * y_[r] - b[r]);
    if (b[r] < kNegligible) b[r] = 0;
  }
}

/// The row, Φ and the Hessian on the scale where Φ·b = s·b, the Hessian also with unit diagonal; false if it is not finite.
bool CountNewton::scale_row(std::span<double> b, std::span<const double> phi, std::span<const double> hessian,
                            std::span<const double> s) {
  double expected = 0, counted = 0;
  std::size_t k = 0;
  for (std::size_t i = 0; i < rank_; ++i) {
    k += i;
    const double diagonal = hessian[k + i];
    if (!std::isfinite(diagonal)) return false;
    scale_[i] = diagonal > 0 ? 1 / std::sqrt(diagonal) : 0.0;
    for (std::size_t j = 0; j < i; ++j) h(i, j) = h(j, i) = hessian[k + j] * scale_[i] * scale_[j];
    h(i, i) = 1 + kProximal;
    // Components without data in this row fall to zero at once: they change no model value.
    if (diagonal == 0 && s[i] > 0) b[i] = 0;
    counted += phi[i] * b[i];
    expected += s[i] * b[i];
  }
  const double factor = expected > 0 && counted > 0 ? counted / expected : 1;
  if (!std::isfinite(factor)) return false;
  for (std::size_t r = 0; r < rank_; ++r) {
    b[r] *= factor;
    phi_[r] = phi[r] / factor;
    scale_[r] *= factor;
  }
  return true;
}

bool CountNewton::find_direction(std::span<const double> b, std::span<const double> s) {
  for (std::size_t r = 0; r < rank_; ++r) {
    start_[r] = scale_[r] > 0 ? b[r] / scale_[r] : 0.0;
    linear_[r] = scale_[r] * (2 * phi_[r] - s[r]) + kProximal * start_[r];  // H b = Φ
    if (!std::isfinite(linear_[r]) || !std::isfinite(start_[r])) return false;
  }
  y_ = start_;
  descend_coordinates();
  polish();
  return std::all_of(y_.begin(), y_.end(), [](double y) { return std::isfinite(y); });
}

void CountNewton::descend_coordinates() {
  for (int sweep = 0; sweep < kCoordinateSweeps; ++sweep)
    for (std::size_t i = 0; i < rank_; ++i) {
      if (scale_[i] == 0) continue;
      double residual = linear_[i];
      for (std::size_t j = 0; j < rank_; ++j) residual -= h(i, j) * y_[j];
      y_[i] = std::max(0.0, y_[i] + residual / h(i, i));
    }
}

/// z = minimiser over the free entries, the others 0.
bool CountNewton::solve_free(std::span<double> z) {
  const std::size_t n = free_.size();
  std::fill(z.begin(), z.end(), 0.0);
  if (n == 0) return true;
  free_matrix_.resize(n * n + n);
  double* right = free_matrix_.data() + n * n;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) free_matrix_[i * n + j] = h(free_[i], free_[j]);
    right[i] = linear_[free_[i]];
  }
  const auto size = static_cast<lapack_int>(n);
  if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', size, free_matrix_.data(), size) != 0) return false;
  LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'U', size, 1, free_matrix_.data(), size, right, size);
  for (std::size_t i = 0; i < n; ++i) z[free_[i]] = right[i];
  return true;
}

/// Active-set method of Lawson & Hanson (1974) from where coordinate descent stands; false if it did not end: y is then
/// feasible and no worse than before.
bool CountNewton::polish() {
  free_.clear();
  for (std::size_t r = 0; r < rank_; ++r)
    if (y_[r] > 0) free_.push_back(r);
  for (std::size_t round = 0; round < 3 * rank_ + 5; ++round) {
    if (!solve_free(candidate_)) return false;
    double reach = 1;
    for (std::size_t r : free_)
      if (candidate_[r] <= 0 && y_[r] > candidate_[r]) reach = std::min(reach, y_[r] / (y_[r] - candidate_[r]));
    for (std::size_t r : free_)
      y_[r] = reach == 1 ? std::max(0.0, candidate_[r]) : std::max(0.0, y_[r] + reach * (candidate_[r] - y_[r]));
    if (reach < 1) {
      // The one that blocks is exactly zero only without rounding.
      for (std::size_t r : free_)
        if (candidate_[r] <= 0 && y_[r] <= 1e-15 * start_[r]) y_[r] = 0;
      const std::size_t before = free_.size();
      std::erase_if(free_, [&](std::size_t r) { return y_[r] == 0; });
      if (free_.size() == before) return false;
      continue;
    }
    double steepest = 0;
    std::size_t entering = rank_;
    for (std::size_t i = 0; i < rank_; ++i) {
      if (scale_[i] == 0 || y_[i] > 0) continue;
      double slope = linear_[i], size = std::abs(linear_[i]);
      for (std::size_t j : free_) {
        slope -= h(i, j) * y_[j];
        size += std::abs(h(i, j) * y_[j]);
      }
      if (slope > 1e-13 * size && slope > steepest) {
        steepest = slope;
        entering = i;
      }
    }
    if (entering == rank_) return true;
    if (std::find(free_.begin(), free_.end(), entering) != free_.end()) return true;  // zero to rounding
    free_.push_back(entering);
  }
  return false;
}

}  // namespace tempera
