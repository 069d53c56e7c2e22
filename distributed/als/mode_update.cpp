#include "distributed/als/mode_update.hpp"

#include <algorithm>
#include <numeric>

#include "core/base/parallel.hpp"
#include "core/factorization/admm.hpp"
#include "core/factorization/bpp.hpp"
#include "core/factorization/constraint_prox.hpp"
#include "core/factorization/hals.hpp"
#include "core/factorization/normal_equations.hpp"
#include "core/linalg/prox.hpp"
#include "distributed/als/polar_factor.hpp"

namespace tempera {

namespace {

/// diag(w) H diag(w) + ridge I; no weights: H + ridge I.
GramMatrix weighted(GramMatrix h, std::span<const double> weights, double ridge) {
  for (Index j = 0; j < h.rank; ++j) {
    for (Index i = 0; !weights.empty() && i < h.rank; ++i)
      h(i, j) *= weights[static_cast<std::size_t>(i)] * weights[static_cast<std::size_t>(j)];
    h(j, j) += ridge;
  }
  return h;
}

double mean_diagonal(const GramMatrix& h) {
  double trace = 0;
  for (Index r = 0; r < h.rank; ++r) trace += h(r, r);
  return trace / static_cast<double>(h.rank);
}

/// target += weight · u on as many rows, each from its first row on.
void add_rows(FactorMatrix& target, Index first_target, double weight, const FactorMatrix& u, Index first,
              Index count) {
  for (Index i = 0; weight != 0 && i < count; ++i)
    for (Index r = 0; r < u.columns(); ++r) target(first_target + i, r) += weight * u(first + i, r);
}

std::span<double> row_of(FactorMatrix& matrix, Index i) {
  return {matrix.row(i), static_cast<std::size_t>(matrix.columns())};
}

}  // namespace

ModeUpdate::Method ModeUpdate::method_for(const Constraint& constraint, Solver solver) {
  if (constraint.is_least_squares()) return Method::least_squares;
  if (constraint.orthogonal) return Method::polar;
  if (!constraint.is_nonnegative_least_squares() || solver == Solver::admm) return Method::admm;
  return solver == Solver::bpp ? Method::bpp : Method::hals;
}

ModeUpdate::ModeUpdate(const Communicator& ranks, const RowLayout& layout, Index size, Index rank,
                       const Constraint& constraint, Solver solver, int threads)
    : ranks_(ranks),
      layout_(layout),
      constraint_(constraint),
      method_(method_for(constraint, solver)),
      threads_(threads),
      held_(ranks, layout, size, constraint.fills_empty_rows()) {
  if (constraint.couples_rows()) columns_.emplace(ranks, held_.rows(), rank, threads);
  dual_ = FactorMatrix(uses_admm() ? held_.count() : 0, rank);
}

/// The proximal step on held rows; returns ½ smooth ‖DZ‖² afterwards.
double ModeUpdate::prox(const Constraint& constraint, FactorMatrix& rows, double rho) const {
  if (constraint.couples_rows())
    return columns_->apply(rows, [&](std::span<double> column) {
      prox_column(constraint, column, rho);
      return constraint.smooth > 0 ? 0.5 * constraint.smooth * roughness(column) : 0.0;
    });
  for_each_piece(rows.rows(), kRowTile, threads_, [&](const Piece& piece) {
    for (Index i = piece.begin; i < piece.end; ++i) prox_row(constraint, row_of(rows, i), rho);
  });
  return 0;
}

bool ModeUpdate::make_feasible(FactorMatrix& local, FactorMatrix& unseen) const {
  const Constraint set = constraint_.without_penalties();
  if (set == Constraint()) return false;
  if (!set.orthogonal && !set.couples_rows()) {
    for (Index i = 0; i < layout_.owned_count; ++i) prox_row(set, row_of(local, layout_.owned_begin + i), 1);
    prox(set, unseen, 1);
    return true;
  }
  FactorMatrix rows = held_.gather(local, unseen);
  if (set.orthogonal)
    replace_by_polar_factor(ranks_, rows);
  else
    prox(set, rows, 1);
  held_.scatter(rows, local, unseen);
  return true;
}

void ModeUpdate::update(const GramMatrix& h, FactorMatrix& product, std::span<const double> weights,
                        FactorMatrix& local, FactorMatrix& unseen, SolveHealth& health, RowSums& sums) {
  GramMatrix own = weighted(h, weights, constraint_.ridge);
  const double pull = damping_ > 0 ? damping_ * mean_diagonal(own) : 0;
  for (Index r = 0; r < h.rank; ++r) own(r, r) += pull;
  if (method_ == Method::least_squares) return solve_least_squares(own, product, local, pull, health, sums);
  improve(own, product, weights, local, unseen, pull);
  add_row_sums(product, local, layout_.owned_begin, layout_.owned_count, sums, threads_);
}

void ModeUpdate::solve_least_squares(const GramMatrix& h, const FactorMatrix& product, FactorMatrix& local, double pull,
                                     SolveHealth& health, RowSums& sums) const {
  const NormalEquations equations(h);
  health.damped = health.damped || equations.method() == NormalEquations::Method::damped_cholesky;
  health.pseudo_inverse = health.pseudo_inverse || equations.method() == NormalEquations::Method::pseudo_inverse;
  if (pull == 0) return solve_rows(equations, product, local, layout_.owned_begin, layout_.owned_count, sums, threads_);
  FactorMatrix rows = pulled(product, local, pull);
  for_each_piece(rows.rows(), kRowTile, threads_,
                 [&](const Piece& piece) { equations.solve(rows, piece.begin, piece.end - piece.begin); });
  std::copy_n(rows.data(), rows.storage().size(), local.row(layout_.owned_begin));
  add_row_sums(product, local, layout_.owned_begin, layout_.owned_count, sums, threads_);
}

/// The owned rows of the product with `pull` times those of the factor.
FactorMatrix ModeUpdate::pulled(const FactorMatrix& product, const FactorMatrix& local, double pull) const {
  FactorMatrix rows(layout_.owned_count, product.columns());
  add_rows(rows, 0, 1, product, layout_.owned_begin, layout_.owned_count);
  add_rows(rows, 0, pull, local, layout_.owned_begin, layout_.owned_count);
  return rows;
}

void ModeUpdate::improve(const GramMatrix& own, FactorMatrix& product, std::span<const double> weights,
                         FactorMatrix& local, FactorMatrix& unseen, double pull) {
  if (method_ != Method::admm && method_ != Method::polar) return solve_in_place(own, product, local, pull);
  FactorMatrix target = held_.gather(product, FactorMatrix(std::ssize(held_.unseen_rows()), own.rank));
  if (!weights.empty()) scale_columns(target, weights, threads_);
  if (pull > 0) add_rows(target, 0, pull, held_.gather(local, unseen), 0, target.rows());
  if (method_ == Method::polar) {
    replace_by_polar_factor(ranks_, target);
    held_.scatter(target, local, unseen);
    return;
  }
  FactorMatrix z = held_.gather(local, unseen);
  solve_held(own, target, z);
  held_.scatter(z, local, unseen);
}

void ModeUpdate::solve_in_place(const GramMatrix& h, FactorMatrix& product, FactorMatrix& local, double pull) const {
  const Index first = layout_.owned_begin, count = layout_.owned_count;
  if (pull > 0) {  // the product is asked for again: the fit comes from it
    FactorMatrix target = pulled(product, local, pull), rows(count, h.rank);
    add_rows(rows, 0, 1, local, first, count);
    solve_nonnegative(h, target, rows, 0, count);
    std::copy_n(rows.data(), rows.storage().size(), local.row(first));
    return;
  }
  solve_nonnegative(h, product, local, first, count);
}

void ModeUpdate::solve_nonnegative(const GramMatrix& h, FactorMatrix& product, FactorMatrix& local, Index first,
                                   Index count) const {
  // On nonnegative entries l1 is linear.
  const auto shift = [&](double by) {
    for (Index i = first; by != 0 && i < first + count; ++i)
      for (double& value : row_of(product, i)) value += by;
  };
  shift(-0.5 * constraint_.l1);
  if (method_ == Method::bpp)
    bpp_update(h, product, local, first, count, threads_);
  else
    hals_update(h, product, local, first, count, threads_);
  shift(0.5 * constraint_.l1);
}

void ModeUpdate::solve_held(const GramMatrix& h, const FactorMatrix& target, FactorMatrix& z) {
  if (!constraint_.couples_rows()) return admm_rows(h, target, constraint_, z, dual_, threads_);
  const ColumnWork work{[this](FactorMatrix& rows, double rho) {
                          const auto region = ranks_.regions().open("admm");  // its calls are the steps
                          return prox(constraint_, rows, rho);
                        },
                        [this](const FactorMatrix& rows) {
                          const std::vector<double> all = roughness_of(rows);
                          return 0.5 * constraint_.smooth * std::accumulate(all.begin(), all.end(), 0.0);
                        },
                        [this](std::span<double> values) { ranks_.all_reduce(values, Reduction::sum); }};
  admm_columns(h, target, constraint_, work, z, dual_, threads_);
}

std::vector<double> ModeUpdate::roughness_of(const FactorMatrix& held) const {
  if (constraint_.smooth == 0) return {};
  return columns_->visit(held, [](std::span<const double> column) { return roughness(column); });
}

std::vector<double> ModeUpdate::roughness_of(const FactorMatrix& local, const FactorMatrix& unseen) const {
  if (constraint_.smooth == 0) return {};
  return roughness_of(held_.gather(local, unseen));
}

void ModeUpdate::rescale(std::span<const double> scales, FactorMatrix& local, FactorMatrix& unseen) {
  for (FactorMatrix* rows : {&local, &unseen}) {
    scale_columns(*rows, scales, threads_);
    // A bound that an entry lies at is met to the last bit.
    for (Index i = 0; constraint_.has_box() && i < rows->rows(); ++i)
      clip(row_of(*rows, i), constraint_.lower, constraint_.upper);
  }
  for (Index i = 0; i < dual_.rows(); ++i)
    for (std::size_t r = 0; r < scales.size(); ++r) dual_.row(i)[r] /= scales[r];
}

}  // namespace tempera
