#pragma once

#include <Eigen/Core>

namespace tempera {

/// Dense symmetric matrices of which the lower triangle is kept; what lies above it is neither read nor kept. By LAPACK.
using LowerTriangle = Eigen::Ref<Eigen::MatrixXd>;
using ConstLowerTriangle = Eigen::Ref<const Eigen::MatrixXd>;

/// A = LLᵀ, in place. Returns −1, or the number of the row whose leading minor is not positive. Cost n³/3.
Eigen::Index cholesky(LowerTriangle a);
/// L becomes the lower triangle of (LLᵀ)⁻¹. Cost 2n³/3.
void invert_cholesky(LowerTriangle l);
/// B becomes L⁻¹B.
void solve_lower(const ConstLowerTriangle& l, Eigen::Ref<Eigen::MatrixXd> b);
/// B becomes L⁻ᵀB.
void solve_lower_transposed(const ConstLowerTriangle& l, Eigen::Ref<Eigen::MatrixXd> b);
/// log det LLᵀ.
double log_determinant(const ConstLowerTriangle& l);

}  // namespace tempera
