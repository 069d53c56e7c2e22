#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/factorization/constraint.hpp"
#include "core/factorization/normal_equations.hpp"
#include "core/tensor/gram.hpp"

namespace tempera {

/// Rows of a factor whose normal equations differ from row to row, as those of a fit to observed cells do: minimises
///   ½ u H uᵀ − m·u + half the penalties
/// over the allowed rows u. One object a thread (it holds working memory).
///
/// Least squares (also with ridge) in closed form; where H is singular, as with fewer observations than components, its
/// damped solution or the pseudo-inverse (see NormalEquations). Nonnegative rows, also with ridge and l1, exactly by block
/// principal pivoting; boxes and l1 by ADMM, which never raises the objective. H = 0 gives a row of zeros.
/// Cost: O(rank³) a row, about sixty times rank² more with ADMM.
class RowLeastSquares {
 public:
  /// @pre !why_not(constraint, solver)
  RowLeastSquares(Index rank, const Constraint& constraint, Solver solver);

  /// Why rows with normal equations of their own cannot be solved under this constraint or by this solver.
  static std::optional<std::string> why_not(const Constraint& constraint, Solver solver);

  bool uses_admm() const { return method_ == Method::admm; }
  /// How the last row's equations were solved; `cholesky` for the iterative solvers.
  NormalEquations::Method method() const { return solved_by_; }

  /// @param moments  m, then the lower triangle of H row by row: rank (rank + 3) / 2 numbers
  /// @param weights  w: H and m are those of diag(w)·u; empty: all 1
  /// @param row      allowed values in, better ones out
  /// @param dual     ADMM's, ρ times the scaled dual; state from call to call, empty for the other solvers
  void solve(std::span<const double> moments, std::span<const double> weights, std::span<double> row,
             std::span<double> dual);

 private:
  enum class Method { least_squares, pivoting, admm };

  bool load(std::span<const double> moments, std::span<const double> weights);

  Constraint constraint_;
  Method method_;
  NormalEquations::Method solved_by_ = NormalEquations::Method::cholesky;
  GramMatrix h_;
  FactorMatrix m_, u_, dual_;
};

}  // namespace tempera
