#pragma once

#include <functional>
#include <span>

#include "core/tensor/csf_set.hpp"
#include "core/tensor/csf_tensor.hpp"
#include "core/tensor/dense_tensor.hpp"
#include "core/tensor/factor_matrix.hpp"
#include "core/tensor/sparse_tensor.hpp"

namespace tempera {

/// For a caller that has something to do with some rows of a product while the others are computed, as sending them.
struct RowProgress {
  Index first = 0;                ///< the rows from here on are computed before the others
  std::function<void()> ready;    ///< called when they are final, unless that is when all are
  std::function<void()> advance;  ///< called a few times while the others are computed
};

/// Matricised tensor times Khatri–Rao product: result = X_(mode) · (⊙_{k≠mode} factors[k]).
///
/// @param tensor   nonzeros of this process, order d
/// @param factors  d matrices; factors[k] has at least as many rows as local indices in mode k occur
/// @param mode     0 ≤ mode < d
/// @param result   rows of mode × rank, overwritten (rows without nonzeros become 0)
/// @param threads  OpenMP threads; used where the mode is the root of the tree (each row is written by one thread, so
///                 the bits do not depend on the number of threads), otherwise one
/// @param progress may be null; of use where the mode is the root of the tree, otherwise nothing is called
/// @pre  all factors and the result have the same number of columns
/// Cost: 2·rank operations a leaf and inner node of the tree; reads each index once for each 32 columns.
/// Smith & Karypis 2015 (CSF); see detail/csf_mttkrp_simd.cpp for the traversal.
void mttkrp(const CsfTensor& tensor, std::span<const FactorMatrix> factors, int mode, FactorMatrix& result,
            int threads = 1, const RowProgress* progress = nullptr);

/// The same with the tree that serves this mode best.
void mttkrp(const CsfSet& tensor, std::span<const FactorMatrix> factors, int mode, FactorMatrix& result,
            int threads = 1, const RowProgress* progress = nullptr);

/// The same on coordinates, entry by entry: the oracle of tests and benchmarks.
/// Cost: order · rank operations a nonzero.
void mttkrp(const SparseTensor& tensor, std::span<const FactorMatrix> factors, int mode, FactorMatrix& result);

/// The same for a dense column-major block. Never forms the whole Khatri–Rao product, but blocks of 256 kB; an inner mode
/// sums over the larger side with the cells and over the other one with the partial product. The bits do not depend on
/// the number of threads. Cost: 2·cells·rank operations; reads the cells once for each 32 columns.
/// Phan, Tichavský & Cichocki 2013; Hayashi et al. 2018 (one- and two-step algorithms).
void mttkrp(const DenseTensor& tensor, std::span<const FactorMatrix> factors, int mode, FactorMatrix& result,
            int threads = 1);

/// Σ over the stored cells of (x − m)² and of m², where m = Σ_r weights[r] Π factors: exact, without cancellation.
struct ResidualSums {
  double residual_squared = 0;
  double model_squared = 0;
};
ResidualSums residual_sums(const CsfTensor& tensor, std::span<const FactorMatrix> factors,
                           std::span<const double> weights);
ResidualSums residual_sums(const DenseTensor& tensor, std::span<const FactorMatrix> factors,
                           std::span<const double> weights);

}  // namespace tempera
