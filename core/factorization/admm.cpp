#include "core/factorization/admm.hpp"

#include <lapacke.h>

#include <algorithm>
#include <cmath>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/factorization/constraint_prox.hpp"

namespace tempera {

namespace {

/// A step that raises the objective by less than this share of its terms is rounding.
constexpr double kRounding = 1e-14;

double step_of(const GramMatrix& h) {
  double trace = 0;
  for (Index r = 0; r < h.rank; ++r) trace += h(r, r);
  return trace / static_cast<double>(h.rank);
}

/// (H + ρI)⁻¹, both triangles.
GramMatrix inverse_of(GramMatrix h, double rho) {
  const auto n = static_cast<lapack_int>(h.rank);
  for (Index r = 0; r < h.rank; ++r) h(r, r) += rho;
  if (LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'U', n, h.values.data(), n) != 0 ||
      LAPACKE_dpotri(LAPACK_COL_MAJOR, 'U', n, h.values.data(), n) != 0)
    throw Error(Category::numerical, "", "the normal equations of a mode are not finite",
                "the values overflow: scale the tensor, for example to unit maximum");
  for (Index j = 0; j < h.rank; ++j)
    for (Index i = 0; i < j; ++i) h(j, i) = h(i, j);
  return h;
}

/// to = x A for a symmetric A.
void multiply(const GramMatrix& a, const double* x, double* to) {
  std::fill_n(to, a.rank, 0.0);
  for (Index s = 0; s < a.rank; ++s) {
    const double* column = a.values.data() + s * a.rank;
    for (Index r = 0; r < a.rank; ++r) to[r] += x[s] * column[r];
  }
}

/// ½ z H zᵀ − m·z and the size of its terms.
struct Quadratic {
  double value = 0;
  double magnitude = 0;
};

Quadratic quadratic(const GramMatrix& h, const double* m, const double* z, std::vector<double>& scratch) {
  multiply(h, z, scratch.data());
  double curved = 0, linear = 0;
  for (Index r = 0; r < h.rank; ++r) {
    curved += 0.5 * scratch[static_cast<std::size_t>(r)] * z[r];
    linear += m[r] * z[r];
  }
  return {curved - linear, curved + std::abs(linear)};
}

double half_l1(const Constraint& constraint, const double* z, Index rank) {
  double sum = 0;
  for (Index r = 0; constraint.l1 > 0 && r < rank; ++r) sum += std::abs(z[r]);
  return 0.5 * constraint.l1 * sum;
}

/// Sums of squares that tell how far an iteration is from the end.
struct Residuals {
  double primal = 0;       ///< ‖U − Z‖²
  double primal_size = 0;  ///< ‖Z‖²
  double dual = 0;         ///< ‖Z − Z before‖²
  double dual_size = 0;    ///< ‖Y‖²

  bool small() const {
    constexpr double kSquared = kAdmmTolerance * kAdmmTolerance;
    return primal <= kSquared * primal_size && dual <= kSquared * std::max(dual_size, primal_size);
  }
};

/// Y ← Y + U − Z, where `y` arrives as U + Y.
void add_residuals(Residuals& residuals, const double* u, const double* before, const double* z, double* y,
                   Index rank) {
  for (Index r = 0; r < rank; ++r) {
    y[r] -= z[r];
    residuals.primal += (u[r] - z[r]) * (u[r] - z[r]);
    residuals.primal_size += z[r] * z[r];
    residuals.dual += (z[r] - before[r]) * (z[r] - before[r]);
    residuals.dual_size += y[r] * y[r];
  }
}

/// u ← (m + ρ(z − y))(H + ρI)⁻¹
void solve_row(const GramMatrix& inverse, double rho, const double* m, const double* z, const double* y, double* u,
               std::vector<double>& scratch) {
  for (Index r = 0; r < inverse.rank; ++r) scratch[static_cast<std::size_t>(r)] = m[r] + rho * (z[r] - y[r]);
  multiply(inverse, scratch.data(), u);
}

}  // namespace

void admm_rows(const GramMatrix& h, const FactorMatrix& m, const Constraint& constraint, FactorMatrix& z,
               FactorMatrix& dual) {
  TEMPERA_EXPECTS(m.columns() == h.rank && z.columns() == h.rank && dual.rows() == z.rows());
  const double rho = step_of(h);
  if (rho == 0) return;
  const GramMatrix inverse = inverse_of(h, rho);
  const Index rank = h.rank;
  const auto size = static_cast<std::size_t>(rank);
  std::vector<double> scratch(size), u(size), y(size), now(size), before(size);
  for (Index i = 0; i < z.rows(); ++i) {
    const double* target = m.row(i);
    std::copy_n(z.row(i), rank, now.data());
    for (Index r = 0; r < rank; ++r) y[static_cast<std::size_t>(r)] = dual(i, r) / rho;
    const double start = quadratic(h, target, now.data(), scratch).value + half_l1(constraint, now.data(), rank);
    bool better = false;
    for (int iteration = 0; iteration < kAdmmIterations; ++iteration) {
      solve_row(inverse, rho, target, now.data(), y.data(), u.data(), scratch);
      before = now;
      for (std::size_t r = 0; r < size; ++r) now[r] = y[r] += u[r];
      prox_row(constraint, now, rho);
      Residuals residuals;
      add_residuals(residuals, u.data(), before.data(), now.data(), y.data(), rank);
      if (!residuals.small() && iteration + 1 < kAdmmIterations) continue;
      const Quadratic end = quadratic(h, target, now.data(), scratch);
      better = end.value + half_l1(constraint, now.data(), rank) <= start + kRounding * end.magnitude;
      if (better) break;
    }
    if (better) std::copy_n(now.data(), rank, z.row(i));
    for (Index r = 0; r < rank; ++r) dual(i, r) = rho * y[static_cast<std::size_t>(r)];
  }
}

int admm_columns(const GramMatrix& h, const FactorMatrix& m, const Constraint& constraint, const ColumnWork& work,
                 FactorMatrix& z, FactorMatrix& dual) {
  TEMPERA_EXPECTS(m.columns() == h.rank && z.columns() == h.rank && dual.rows() == z.rows());
  const double rho = step_of(h);
  if (rho == 0) return 0;
  const GramMatrix inverse = inverse_of(h, rho);
  const Index rank = h.rank;
  std::vector<double> scratch(static_cast<std::size_t>(rank));
  const auto objective = [&](const FactorMatrix& at, double& magnitude) {
    double sum = 0;
    for (Index i = 0; i < at.rows(); ++i) {
      const Quadratic part = quadratic(h, m.row(i), at.row(i), scratch);
      sum += part.value + half_l1(constraint, at.row(i), rank);
      magnitude += part.magnitude;
    }
    return sum;
  };
  for (double& value : dual.storage()) value /= rho;
  double start_message[2] = {0, 0};
  start_message[0] = objective(z, start_message[1]);
  work.sum(start_message);
  const double start = start_message[0] + work.penalty(z);
  FactorMatrix u(z.rows(), rank), before(z.rows(), rank), now = z;
  int iteration = 0;
  for (bool done = false; !done && iteration < kAdmmIterations; ++iteration) {
    std::swap(before, now);
    for (Index i = 0; i < z.rows(); ++i) {
      solve_row(inverse, rho, m.row(i), before.row(i), dual.row(i), u.row(i), scratch);
      for (Index r = 0; r < rank; ++r) now(i, r) = dual(i, r) += u(i, r);
    }
    const double penalty = work.prox(now, rho);
    Residuals residuals;
    for (Index i = 0; i < z.rows(); ++i)
      add_residuals(residuals, u.row(i), before.row(i), now.row(i), dual.row(i), rank);
    double magnitude = 0;
    const double value = objective(now, magnitude);
    double message[6] = {residuals.primal, residuals.primal_size, residuals.dual, residuals.dual_size, value,
                         magnitude};
    work.sum(message);
    residuals = {message[0], message[1], message[2], message[3]};
    const bool better = message[4] + penalty <= start + kRounding * (message[5] + penalty);
    if (!better || (!residuals.small() && iteration + 1 < kAdmmIterations)) continue;
    std::swap(z, now);
    done = true;
  }
  for (double& value : dual.storage()) value *= rho;
  return iteration;
}

}  // namespace tempera
