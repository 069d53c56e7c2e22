#pragma once

#include <span>
#include <vector>

#include "core/tensor/sparse_tensor.hpp"
#include "distributed/communicator/communicator.hpp"
#include "distributed/tensor/mode_parts.hpp"

namespace tempera {

struct HeavySlice {
  Index index;
  Index nonzeros;  ///< over all ranks
};

/// All slices of a mode with more than `least` nonzeros over all ranks, by increasing index.
///
/// @param bins     of this mode
/// @param weights  nonzeros of each bin over all ranks
/// Where bins hold several indices, those of the heavy ones are counted in finer bins first, and one by one in the heavy
/// ones of these. Collective. Memory: 0.5 MB beside the result; cost: at most two passes over the local nonzeros.
std::vector<HeavySlice> heavy_slices(const Communicator& communicator, std::span<const SparseTensor> blocks, int mode,
                                     const ModeParts& bins, std::span<const Index> weights, Index least);

}  // namespace tempera
