#pragma once

#include "core/tensor/factor_matrix.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

/// Replaces the rows of A, spread over the ranks, by those of its polar factor W Vᵀ (A = W Σ Vᵀ): the matrix with
/// orthonormal columns nearest to A, which also maximises ⟨U, A⟩ over such U (the orthogonal Procrustes problem). Where A
/// is rank-deficient one of the nearest. QR on each rank, then of the stacked triangles, then the SVD of what is left;
/// nothing is squared. Collective.
/// @pre together the ranks have at least as many rows as columns
/// @throws Error{numerical} when A is not finite
/// Cost: 4·rows·rank² on each rank, 6·P·rank³ on rank 0; P·rank² words.
void replace_by_polar_factor(const Communicator& ranks, FactorMatrix& rows);

}  // namespace tempera
