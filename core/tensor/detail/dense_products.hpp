#pragma once

#include <span>
#include <vector>

#include "core/linalg/khatri_rao.hpp"
#include "core/tensor/factor_matrix.hpp"

namespace tempera::detail {

/// Cells of a dense block as a matrix: cell (l, q) at x[l + q · step], l < left, q < right.
struct CellMatrix {
  const double* x = nullptr;
  Index left = 0, right = 0, step = 0;
};

/// A partial product: rows (l, q), each of `stride` doubles, at x[(l + q · left) · stride].
struct PartialMatrix {
  const double* x = nullptr;
  Index left = 0, right = 0;
  Index first = 0;  ///< of the right side: which q the first one is; contract_right adds to the result unless it is 0
};

/// Cells of a block of these sizes; 1 without any.
Index product(std::span<const Index> sizes);

/// Factor matrices as operands of the sums below.
std::vector<RowView> row_views(std::span<const FactorMatrix> factors);

/// Sum over one side of a matrix of cells or of a partial product, times the Khatri–Rao rows of that side's matrices:
///   contract_right   result[l] = Σ_q (l, q) · K[q]        contract_left   result[q] = Σ_l (l, q) · K[l]
///
/// @param matrices  factor rows of the summed side, the fastest mode first; strides as those of FactorMatrix
/// @param result    rows of `stride` doubles (that of a FactorMatrix of this rank, aligned like one), overwritten
/// The Khatri–Rao product is formed in blocks of at most 256 kB. Every row of the result is summed in an order that depends
/// on the summed side alone: neither the number of threads nor the other rows change its bits.
void contract_right(const CellMatrix& cells, std::span<const RowView> matrices, double* result, Index stride,
                    int threads);
void contract_left(const CellMatrix& cells, std::span<const RowView> matrices, double* result, Index stride,
                   int threads);
void contract_right(const PartialMatrix& partial, std::span<const RowView> matrices, double* result, Index stride,
                    int threads);
void contract_left(const PartialMatrix& partial, std::span<const RowView> matrices, double* result, Index stride,
                   int threads);

}  // namespace tempera::detail
