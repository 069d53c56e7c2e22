#pragma once

#include <span>

#include "core/tensor/csf_tensor.hpp"
#include "core/tensor/dense_tensor.hpp"
#include "core/tensor/factor_matrix.hpp"

namespace tempera {

/// What count_products computes a row: rank columns, or rank (rank + 3) / 2 where a lower triangle follows, row by row.
enum class CountContent {
  gradient,          ///< Φ
  with_hessian,      ///< Φ, then the lower triangle of the Hessian
  sums,              ///< Σ π over the stored cells, whatever they hold
  normal_equations,  ///< Σ x π, then the lower triangle of Σ π πᵀ over the stored cells: their least squares
};

constexpr Index count_columns(Index rank, CountContent content) {
  const bool one_row = content == CountContent::gradient || content == CountContent::sums;
  return one_row ? rank : rank * (rank + 3) / 2;
}

/// The data-dependent parts of the Poisson log-likelihood's derivatives by the rows u_i of one factor: with the model
/// m = Σ_r u_ir π_r and π the product of the rows of the other modes at a cell,
///   Φ_ir = Σ (x / m) π_r,   H_i,rs = Σ (x / m²) π_r π_s   over the stored cells x > 0 of row i.
/// π is formed on the way and never stored. The other contents ask for the sums over all stored cells of row i that do not
/// depend on u_i: what a loss over these cells alone needs.
///
/// @param factors  one a mode, local rows; that of `mode` with the weights of the components folded in
/// @param result   rows of mode × count_columns(rank, content), overwritten
/// @param threads  OpenMP threads; used where the mode is the root of the tree, otherwise one
/// Cost: about 6·rank operations a cell, with a triangle rank² more.
/// Chi & Kolda 2012 (Φ); Hansen, Plantenga & Kolda 2015 (row subproblems).
void count_products(const CsfTensor& tensor, std::span<const FactorMatrix> factors, int mode, CountContent content,
                    FactorMatrix& result, int threads = 1);
void count_products(const DenseTensor& tensor, std::span<const FactorMatrix> factors, int mode, CountContent content,
                    FactorMatrix& result, int threads = 1);

/// Sums over the stored cells x with their model values m = Σ_r weights[r] Π factors.
struct CountSums {
  double deviance = 0;       ///< Σ x ln(x/m) − x + m; m alone where x = 0
  double model = 0;          ///< Σ m
  double inner_product = 0;  ///< Σ x m
};
CountSums count_sums(const CsfTensor& tensor, std::span<const FactorMatrix> factors, std::span<const double> weights);
CountSums count_sums(const DenseTensor& tensor, std::span<const FactorMatrix> factors, std::span<const double> weights);

}  // namespace tempera
