#pragma once

#include <vector>

#include "distributed/linalg/block_cyclic_matrix.hpp"

// Everything is collective over grid().all(); matrices lie on one grid in equal blocks, vectors are the same on all
// ranks.

namespace tempera {

/// x := a⁻¹ x for a square matrix by LU with row pivoting (PDGESV).
/// @throws Error{numerical} if a pivot is zero, naming it; Error{shape} when sizes, grids or blocks do not fit
void solve(BlockCyclicMatrix a, BlockCyclicMatrix& x);

/// a = q r with k = min(m, n): q is m × k with orthonormal columns, r is k × n and zero below its diagonal.
struct QrFactors {
  BlockCyclicMatrix q;
  BlockCyclicMatrix r;
};
/// By Householder reflections (PDGEQRF, PDORGQR); the signs of r's diagonal are not fixed.
QrFactors qr(BlockCyclicMatrix a);

/// a = vectors · diag(values) · vectorsᵀ, values ascending.
struct SymmetricEigen {
  std::vector<double> values;
  BlockCyclicMatrix vectors;
};
/// Of the lower triangle, by divide and conquer (PDSYEVD).
/// @throws Error{numerical} if it does not converge, or an entry is a NaN or infinite
SymmetricEigen symmetric_eigen(BlockCyclicMatrix a);

/// a = u · diag(values) · vt with k = min(m, n): u is m × k, vt is k × n, values descending.
struct SingularValues {
  std::vector<double> values;
  BlockCyclicMatrix u;
  BlockCyclicMatrix vt;
};
/// By bidiagonalisation and the implicit QR iteration (PDGESVD).
/// @throws Error{numerical} if it does not converge, or an entry is a NaN or infinite
SingularValues singular_values(BlockCyclicMatrix a);

}  // namespace tempera
