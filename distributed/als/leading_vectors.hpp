#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor/factor_matrix.hpp"
#include "distributed/tensor/distributed_tensor.hpp"

namespace tempera {

/// Leading left singular vectors of an unfolding, over the ranks.
struct LeadingVectors {
  FactorMatrix vectors;         ///< local rows of the mode (ghosts too) × what was found, unit columns
  std::vector<double> squares;  ///< of the singular values, decreasing; as many as columns
};

/// The first `count` left singular vectors of X_(mode) (fewer where the data have no more: directions below 1e-7 of the
/// largest singular value are left out) by a randomised range finder; neither the unfolding nor its Gram matrix is formed.
///
/// The range is sketched by Y = X_(mode) Ω with count + 10 columns, Ω the Khatri–Rao product of Gaussian matrices, which
/// makes Y an MTTKRP. Power steps and the Rayleigh–Ritz step need X_(mode)ᵀQ, a row a fibre; where there are more than
/// 65,536 fibres they are added up in that many buckets with random signs (CountSketch by tabulation hashing), which
/// keeps inner products to a relative √(2 / 65,536) = 0.6 %. So memory stays bounded however hypersparse the tensor is,
/// and vectors whose singular values lie closer than that may be mixed: it is a start, not a decomposition.
///
/// Random numbers are keyed by mode and global row: the result is that of any number of ranks to rounding. Signs: the
/// entries of a column add up to something positive. Cells kept apart count as zeros.
/// Memory: count + 10 columns for every local row, 65,536 rows of as many, 8 bytes for every index between the first and
/// the last of the rank in each mode. Cost: one MTTKRP and three passes over the cells. Collective over the active ranks.
/// Halko, Martinsson & Tropp 2011; CountSketch: Charikar, Chen & Farach-Colton 2002; Pătraşcu & Thorup 2012.
LeadingVectors leading_vectors(const DistributedTensor& tensor, int mode, Index count, std::uint64_t seed);

/// Most bytes that leading_vectors takes beside the tensor, on a rank whose cells touch so many rows of each mode.
/// @param spans  from the first to the last of them, both counted
/// @param cells  of a rank, on average
double leading_vectors_bytes(std::span<const Index> rows, std::span<const Index> spans, double cells, Index count);

}  // namespace tempera
