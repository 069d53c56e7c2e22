#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor/dense_tensor.hpp"
#include "core/tensor/factor_matrix.hpp"
#include "core/tensor/kruskal_tensor.hpp"
#include "core/tensor/sparse_tensor.hpp"

namespace tempera::test {

/// Matrix of independent normal draws, keyed by seed.
FactorMatrix random_matrix(Index rows, Index columns, std::uint64_t seed);
std::vector<FactorMatrix> random_factors(const std::vector<Index>& shape, Index rank, std::uint64_t seed);

/// `count` distinct cells at random (fewer if the tensor has fewer cells), normal values.
SparseTensor random_sparse(const std::vector<Index>& shape, Index count, std::uint64_t seed);
DenseTensor random_dense(const std::vector<Index>& shape, std::uint64_t seed);

/// Every cell of the dense tensor as a nonzero.
SparseTensor every_cell(const DenseTensor& tensor);
/// Zeros filled in.
DenseTensor filled(const SparseTensor& tensor);
/// The cells of a CP model plus noise: noise is the ratio of norms ‖E‖/‖M‖ (0: exact).
DenseTensor planted(const KruskalTensor& model, double noise, std::uint64_t seed);

/// Independent Poisson draws with the cells of a model as means, and the cells of a tensor that are not zero.
DenseTensor count_draws(const KruskalTensor& model, std::uint64_t seed);
SparseTensor positive_cells(const DenseTensor& tensor);

/// Brute force by the definition: loops over all cells.
FactorMatrix brute_force_mttkrp(const DenseTensor& tensor, const std::vector<FactorMatrix>& factors, int mode);

/// Largest |a − b| over the largest |a|.
double relative_difference(const FactorMatrix& a, const FactorMatrix& b);

/// Factor match score: mean over components of Π |cosine| under the best assignment of components, found exactly by
/// dynamic programming over subsets. @pre rank ≤ 16
double factor_match_score(const KruskalTensor& a, const KruskalTensor& b);

}  // namespace tempera::test
