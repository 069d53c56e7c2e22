#pragma once

#include <cstdint>
#include <span>

#include "core/tensor/factor_matrix.hpp"

namespace tempera {

/// Distribution of random start values: normal for unconstrained modes, uniform on [0, 1) for nonnegative ones.
enum class StartDistribution { normal, uniform };

/// Fills the rows of one mode with random start values.
///
/// Row i gets the draws of the stream (seed, "cp-start", restart, mode, global_rows[i]): they depend on the global row
/// only, so any partition of the rows over any number of ranks starts from the same factors.
/// @pre factor.rows() == global_rows.size()
void random_start(FactorMatrix& factor, std::span<const Index> global_rows, std::uint64_t seed, int restart, int mode,
                  StartDistribution distribution);

}  // namespace tempera
