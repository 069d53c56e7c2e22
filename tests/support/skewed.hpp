#pragma once

#include <vector>

#include "core/base/random_stream.hpp"
#include "core/tensor/sparse_tensor.hpp"

namespace tempera::test {

/// Index below `size` with probability proportional to 1 / (index + 1)^exponent, approximately: the inverse of the
/// continuous law of density x^(−exponent) on [1, size + 1).
Index zipf(RandomStream& stream, Index size, double exponent);

/// Distinct cells of this many draws, each index by a power law: the first slice of every mode is the heaviest.
/// Correlated: all cells near the diagonal.
SparseTensor skewed(const std::vector<Index>& shape, Index draws, double exponent, bool correlated);

/// Distinct cells of this many draws in which every mode has one slice with `share` of them.
SparseTensor with_giant_slices(const std::vector<Index>& shape, Index draws, double share);

}  // namespace tempera::test
