#pragma once

#include <span>

#include "core/base/index.hpp"

namespace tempera {

/// Row-major matrix of someone else's: rows × columns, `stride` doubles between rows.
struct RowView {
  const double* data = nullptr;
  Index rows = 0;
  Index columns = 0;
  Index stride = 0;
};

/// Rows [first, first + count) of the Khatri–Rao product of several matrices with the same number of columns.
/// Row i belongs to the multi-index of the matrices in which matrix 0 runs fastest (column-major tensors), so for two
/// matrices row i is matrices[0][i mod I_0] ∘ matrices[1][i / I_0].
///
/// @param out  count rows of `out_stride` doubles, the first `columns` of each overwritten
/// Cost: about count · columns multiplications (products of the slow matrices are reused along a run of the fast one).
void khatri_rao_rows(std::span<const RowView> matrices, Index first, Index count, double* out, Index out_stride);

}  // namespace tempera
