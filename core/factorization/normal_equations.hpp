#pragma once

#include <string>
#include <vector>

#include "core/tensor/gram.hpp"

namespace tempera {

/// Rows that a pass over a factor takes together: they stay in the cache from step to step. Depends on nothing, so that
/// what BLAS makes of a row does not either.
constexpr Index kRowTile = 256;

/// Solver of U H = M for many rows, H symmetric positive semidefinite (rank × rank).
///
/// Cholesky first. When it fails, or its reciprocal condition number is below 1e-12, τ·trace(H)/rank is added to the
/// diagonal with τ = 1e-12, 1e-11, 1e-10; when that fails too, the pseudo-inverse by the symmetric eigendecomposition
/// (eigenvalues below 1e-12 of the largest dropped) is used. `method` tells which one it was.
class NormalEquations {
 public:
  enum class Method { cholesky, damped_cholesky, pseudo_inverse, zero };

  /// Cost: about rank³/3 operations (9 rank³ for the pseudo-inverse).
  /// @throws Error{numerical} when H is not finite
  explicit NormalEquations(const GramMatrix& h);

  Method method() const { return method_; }
  /// Added to the diagonal, 0 for plain Cholesky.
  double damping() const { return damping_; }
  /// Reciprocal condition number of H in the 1-norm: a lower bound, or where that is small LAPACK's estimate (0 when
  /// Cholesky failed).
  double reciprocal_condition() const { return reciprocal_condition_; }

  /// Replaces the rows [first, first + count) of M by those of U. Cost: 2·rank² a row.
  void solve(FactorMatrix& rows, Index first, Index count) const { solve(rows, rows, first, count); }
  /// The same into the rows of another matrix. What a row becomes depends on that row alone.
  void solve(const FactorMatrix& product, FactorMatrix& rows, Index first, Index count) const;

 private:
  bool factorize(const GramMatrix& h, double damping);
  void pack_triangle();

  Index rank_;
  Method method_ = Method::cholesky;
  double damping_ = 0;
  double reciprocal_condition_ = 0;
  std::vector<double> matrix_;  ///< Cholesky factor, or the pseudo-inverse
  // The Cholesky factor as detail::PackedTriangle wants it.
  std::vector<double> forward_, backward_, reciprocals_;
};

}  // namespace tempera
