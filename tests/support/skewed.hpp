#pragma once

#include <vector>

#include "core/tensor/sparse_tensor.hpp"

namespace tempera::test {

/// Distinct cells of this many draws, each index by a power law: the first slice of every mode is the heaviest.
/// Correlated: all cells near the diagonal.
SparseTensor skewed(const std::vector<Index>& shape, Index draws, double exponent, bool correlated);

/// Distinct cells of this many draws in which every mode has one slice with `share` of them.
SparseTensor with_giant_slices(const std::vector<Index>& shape, Index draws, double share);

}  // namespace tempera::test
