#pragma once

#include <cstdint>
#include <span>

#include "core/tensor/factor_matrix.hpp"

namespace tempera {

/// Fills the rows of one mode with random start values, uniform on [0, 1): valid for every constraint that allows
/// nonnegative values, and on measured data (mostly nonnegative) fewer sweeps than normal draws.
///
/// Row i gets the draws of the stream (seed, "cp-start", restart, mode, global_rows[i]): they depend on the global row
/// only, so any partition of the rows over any number of ranks starts from the same factors.
/// @pre factor.rows() == global_rows.size()
void random_start(FactorMatrix& factor, std::span<const Index> global_rows, std::uint64_t seed, int restart, int mode);

}  // namespace tempera
