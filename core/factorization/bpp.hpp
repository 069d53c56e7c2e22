#pragma once

#include "core/tensor/gram.hpp"

namespace tempera {

/// Rows that bpp_update looks at together: enough that nearly all factors that could be shared are.
inline constexpr Index kBppTileRows = 4096;

/// Block principal pivoting: the exact nonnegative rows U of min ½ tr(U H Uᵀ) − ⟨M, U⟩, row by row
///   u ≥ 0,  y = uH − m ≥ 0,  u·y = 0.
///
/// @param h        rank × rank, positive semidefinite
/// @param m        right-hand sides, one a row
/// @param u        current rows in (where they are positive is the first guess), the solution out
/// @param first, count  the rows to solve, the same in m and u
/// Of up to 4096 rows at a time, which one thread takes, those with the same set of positive entries share one Cholesky
/// factor. When full exchanges stop making progress, the last infeasible entry alone is exchanged, so that the search ends.
/// Singular parts of H are damped as NormalEquations does. The result of a row depends on nothing but the row. Cost: a few
/// solves of the part of H a row, rank² each, and rank³/3 for each set that occurs.
/// Kim & Park 2011.
/// @throws Error{numerical} when H is not finite
void bpp_update(const GramMatrix& h, const FactorMatrix& m, FactorMatrix& u, Index first, Index count, int threads = 1);

}  // namespace tempera
