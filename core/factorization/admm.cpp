#include "core/factorization/admm.hpp"

#include <lapacke.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/base/parallel.hpp"
#include "core/factorization/constraint_prox.hpp"

namespace tempera {

namespace {

constexpr Index kPieceRows = 256;  // what a thread takes at a time; sums over rows are formed of theirs

/// A step that raises the objective by less than this share of its terms is rounding.
constexpr double kRounding = 1e-14;
/// Residuals from which on more iterations will not lower the objective any more: the start was as good.
constexpr double kSettled = 1e-9;

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

/// to = x A for a symmetric A. No two of the three share memory.
void multiply(const GramMatrix& a, const double* __restrict x, double* __restrict to) {
  const Index rank = a.rank;
  std::fill_n(to, rank, 0.0);
  for (Index s = 0; s < rank; ++s) {
    const double* __restrict column = a.values.data() + s * rank;
    for (Index r = 0; r < rank; ++r) to[r] += x[s] * column[r];
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

  bool below(double tolerance) const {
    const double squared = tolerance * tolerance;
    return primal <= squared * primal_size && dual <= squared * std::max(dual_size, primal_size);
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

/// One row's iterations, with their working memory.
class RowIterations {
 public:
  explicit RowIterations(Index rank)
      : scratch_(static_cast<std::size_t>(rank)), u_(scratch_), y_(scratch_), now_(scratch_), before_(scratch_) {}

  void improve(const GramMatrix& h, const GramMatrix& inverse, double rho, const double* target,
               const Constraint& constraint, double* z, double* dual) {
    const Index rank = h.rank;
    std::copy_n(z, rank, now_.data());
    for (Index r = 0; r < rank; ++r) y_[static_cast<std::size_t>(r)] = dual[r] / rho;
    const double start = quadratic(h, target, now_.data(), scratch_).value + half_l1(constraint, now_.data(), rank);
    bool better = false;
    for (int iteration = 0; iteration < kAdmmIterations; ++iteration) {
      solve_row(inverse, rho, target, now_.data(), y_.data(), u_.data(), scratch_);
      before_ = now_;
      for (std::size_t r = 0; r < now_.size(); ++r) now_[r] = y_[r] += u_[r];
      prox_row(constraint, now_, rho);
      Residuals residuals;
      add_residuals(residuals, u_.data(), before_.data(), now_.data(), y_.data(), rank);
      if (!residuals.below(kAdmmTolerance) && iteration + 1 < kAdmmIterations) continue;
      const Quadratic end = quadratic(h, target, now_.data(), scratch_);
      better = end.value + half_l1(constraint, now_.data(), rank) <= start + kRounding * end.magnitude;
      if (better || residuals.below(kSettled)) break;
    }
    if (better) std::copy_n(now_.data(), rank, z);
    for (Index r = 0; r < rank; ++r) dual[r] = rho * y_[static_cast<std::size_t>(r)];
  }

 private:
  std::vector<double> scratch_, u_, y_, now_, before_;
};

/// What the rows of a matrix add up to: objective without penalties on columns, and how far an iteration is from the end.
struct RowTotals {
  Residuals residuals;
  Quadratic objective;

  std::array<double, 6> message() const {
    return {residuals.primal,    residuals.primal_size, residuals.dual,
            residuals.dual_size, objective.value,       objective.magnitude};
  }
};

RowTotals& operator+=(RowTotals& sum, const RowTotals& part) {
  sum.residuals.primal += part.residuals.primal;
  sum.residuals.primal_size += part.residuals.primal_size;
  sum.residuals.dual += part.residuals.dual;
  sum.residuals.dual_size += part.residuals.dual_size;
  sum.objective.value += part.objective.value;
  sum.objective.magnitude += part.objective.magnitude;
  return sum;
}

/// What add(row, scratch, totals) adds up to over the rows, piece by piece.
template <class Add>
std::array<double, 6> totals_of(Index rows, Index rank, int threads, Add&& add) {
  std::vector<RowTotals> parts(static_cast<std::size_t>((rows + kPieceRows - 1) / kPieceRows));
  for_each_piece(rows, kPieceRows, threads, [&](const Piece& piece) {
    std::vector<double> scratch(static_cast<std::size_t>(rank));
    RowTotals totals;
    for (Index i = piece.begin; i < piece.end; ++i) add(i, scratch, totals);
    parts[static_cast<std::size_t>(piece.begin / kPieceRows)] = totals;
  });
  RowTotals sum;
  for (const RowTotals& part : parts) sum += part;
  return sum.message();
}

void add_objective(const GramMatrix& h, const double* m, const Constraint& constraint, const double* z,
                   std::vector<double>& scratch, RowTotals& totals) {
  const Quadratic part = quadratic(h, m, z, scratch);
  totals.objective.value += part.value + half_l1(constraint, z, h.rank);
  totals.objective.magnitude += part.magnitude;
}

}  // namespace

void admm_rows(const GramMatrix& h, const FactorMatrix& m, const Constraint& constraint, FactorMatrix& z,
               FactorMatrix& dual, int threads) {
  TEMPERA_EXPECTS(m.columns() == h.rank && z.columns() == h.rank && dual.rows() == z.rows());
  const double rho = step_of(h);
  if (rho == 0) return;
  const GramMatrix inverse = inverse_of(h, rho);
  std::vector<RowIterations> workers(static_cast<std::size_t>(workers_for(z.rows(), kPieceRows, threads)),
                                     RowIterations(h.rank));
  for_each_piece(z.rows(), kPieceRows, threads, [&](const Piece& piece) {
    RowIterations& worker = workers[static_cast<std::size_t>(piece.worker)];
    for (Index i = piece.begin; i < piece.end; ++i)
      worker.improve(h, inverse, rho, m.row(i), constraint, z.row(i), dual.row(i));
  });
}

int admm_columns(const GramMatrix& h, const FactorMatrix& m, const Constraint& constraint, const ColumnWork& work,
                 FactorMatrix& z, FactorMatrix& dual, int threads) {
  TEMPERA_EXPECTS(m.columns() == h.rank && z.columns() == h.rank && dual.rows() == z.rows());
  const double rho = step_of(h);
  if (rho == 0) return 0;
  const GramMatrix inverse = inverse_of(h, rho);
  const Index rank = h.rank, rows = z.rows();
  const auto solve = [&](const FactorMatrix& before, FactorMatrix& u, FactorMatrix& now) {
    for_each_piece(rows, kPieceRows, threads, [&](const Piece& piece) {
      std::vector<double> scratch(static_cast<std::size_t>(rank));
      for (Index i = piece.begin; i < piece.end; ++i) {
        solve_row(inverse, rho, m.row(i), before.row(i), dual.row(i), u.row(i), scratch);
        for (Index r = 0; r < rank; ++r) now(i, r) = dual(i, r) += u(i, r);
      }
    });
  };
  for (double& value : dual.storage()) value /= rho;
  auto message = totals_of(rows, rank, threads, [&](Index i, std::vector<double>& scratch, RowTotals& totals) {
    add_objective(h, m.row(i), constraint, z.row(i), scratch, totals);
  });
  work.sum(message);
  const double start = message[4] + work.penalty(z);
  FactorMatrix u(rows, rank), before(rows, rank), now = z;
  int iteration = 0;
  for (bool done = false; !done && iteration < kAdmmIterations; ++iteration) {
    std::swap(before, now);
    solve(before, u, now);
    const double penalty = work.prox(now, rho);
    message = totals_of(rows, rank, threads, [&](Index i, std::vector<double>& scratch, RowTotals& totals) {
      add_residuals(totals.residuals, u.row(i), before.row(i), now.row(i), dual.row(i), rank);
      add_objective(h, m.row(i), constraint, now.row(i), scratch, totals);
    });
    work.sum(message);
    const Residuals residuals{message[0], message[1], message[2], message[3]};
    const bool better = message[4] + penalty <= start + kRounding * (message[5] + penalty);
    const bool last = residuals.below(kSettled) || iteration + 1 == kAdmmIterations;
    done = last || (better && residuals.below(kAdmmTolerance));
    if (done && better) std::swap(z, now);
  }
  for (double& value : dual.storage()) value *= rho;
  return iteration;
}

}  // namespace tempera
