#pragma once

#include <string>
#include <vector>

#include "core/tensor/gram.hpp"

namespace tempera {

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
  /// Estimated reciprocal condition number of H in the 1-norm (0 when Cholesky failed).
  double reciprocal_condition() const { return reciprocal_condition_; }

  /// Replaces the rows [first, first + count) of M by those of U. Cost: 2·rank² a row.
  void solve(FactorMatrix& rows, Index first, Index count) const;

 private:
  bool factorize(const GramMatrix& h, double damping);

  Index rank_;
  Method method_ = Method::cholesky;
  double damping_ = 0;
  double reciprocal_condition_ = 0;
  std::vector<double> matrix_;  ///< Cholesky factor, or the pseudo-inverse
};

}  // namespace tempera
