#pragma once

#include "distributed/linalg/block_cyclic_matrix.hpp"

// Cholesky factors A = L Lᵀ of symmetric positive definite matrices. Only lower triangles are read and written; what
// lies strictly above is undefined. Everything is collective over grid().all() and answers the same on all ranks.

namespace tempera {

/// Replaces the lower triangle of A by L (PDPOTRF).
/// @return 0, or the order k ≥ 1 of the first leading minor that is not positive definite or holds a NaN or infinity;
///   the matrix is destroyed then
/// @throws Error{shape} if the matrix is not square; so do all below
/// Cost: n³/3 operations over the ranks of the grid.
Index cholesky(BlockCyclicMatrix& matrix);

/// log det A = 2 Σ log L_kk, summed on one rank in the order of the diagonal.
double log_determinant(const BlockCyclicMatrix& factor);

/// x := A⁻¹ x.
void cholesky_solve(const BlockCyclicMatrix& factor, BlockCyclicMatrix& x);

/// Replaces L by the lower triangle of A⁻¹ (PDPOTRI). Cost: 2n³/3 operations.
/// @throws Error{numerical} if a diagonal entry of the factor is zero
void cholesky_inverse(BlockCyclicMatrix& factor);

/// Enlarges the factor of an n × n matrix A₁₁ to that of the matrix with b more rows and columns,
///
///     A = [ A₁₁   ·  ]      L = [ L₁₁   0  ]      L₂₁ = A₂₁ L₁₁⁻ᵀ,   L₂₂ L₂₂ᵀ = A₂₂ − L₂₁ L₂₁ᵀ.
///         [ A₂₁  A₂₂ ]          [ L₂₁  L₂₂ ]
///
/// @param rows  b × (n + b): A₂₁ and the lower triangle of A₂₂, on the grid and in the blocks of the factor
/// @return 0, or the order of the first leading minor that is not positive definite; the factor is as before then
/// Cost: n²b operations, and the factor is copied once on each rank.
Index append_rows(BlockCyclicMatrix& factor, const BlockCyclicMatrix& rows);

}  // namespace tempera
