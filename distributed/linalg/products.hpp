#pragma once

#include <vector>

#include "distributed/linalg/block_cyclic_matrix.hpp"

// Products and triangular solves by PBLAS. All matrices of a call lie on the same grid in blocks of the same size.
// Everything is collective over grid().all().

namespace tempera {

enum class Transpose { no, yes };
enum class Side { left, right };

/// result = alpha · op(a) · op(b) + beta · result. With beta = 0 the result may be undefined before.
/// @throws Error{shape} when sizes, grids or blocks do not fit each other; so do all below
void multiply(double alpha, const BlockCyclicMatrix& a, Transpose a_op, const BlockCyclicMatrix& b, Transpose b_op,
              double beta, BlockCyclicMatrix& result);

/// Lower triangle of result = alpha · a · aᵀ + beta · result; the strict upper one is neither read nor written.
void multiply_by_own_transpose(double alpha, const BlockCyclicMatrix& a, double beta, BlockCyclicMatrix& result);

/// x := op(triangle)⁻¹ · x (left) or x · op(triangle)⁻¹ (right), of the lower triangle of a square matrix.
/// With Side::right only the first columns of x, as many as the triangle has, are changed.
void solve_lower(const BlockCyclicMatrix& triangle, Transpose op, Side side, BlockCyclicMatrix& x);

/// On all ranks the min(rows, columns) diagonal entries.
std::vector<double> diagonal(const BlockCyclicMatrix& matrix);

/// On all ranks Σ_i matrix(i, j)² for every column; the same bits on all ranks and for the same grid.
std::vector<double> squared_column_norms(const BlockCyclicMatrix& matrix);

/// On all ranks Σ_i a(i, j) · b(i) for every column j of a: aᵀ b for a vector that every rank holds.
std::vector<double> dot_columns(const BlockCyclicMatrix& a, const std::vector<double>& b);

}  // namespace tempera
