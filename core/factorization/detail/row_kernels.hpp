#pragma once

// Included by *_simd.cpp: no standard header with inline functions may enter here (see core/CMakeLists.txt).
#include <stdint.h>

namespace tempera::detail {

constexpr int64_t kSolveBlock = 8;  ///< columns that a step of the triangular solves takes together

/// Cholesky factor R of H = RᵀR, both triangles packed for solves from the left to the right and back. Columns are padded
/// to whole blocks, those beyond H with zeros and the reciprocal 1.
struct PackedTriangle {
  int64_t size;               ///< padded
  const double* forward;      ///< block after block: for every k up to the end of the block, R(k, its 8 columns)
  const double* backward;     ///< block after block: for every k from its begin to the end, R(its 8 rows, k)
  const double* reciprocals;  ///< of the diagonal
};

/// Rows u of U H = M: rows[i] from products[i], which may be the same place. `stride` doubles a row, the padding zero.
/// scratch: 8 · size doubles, 64-byte aligned.
using SolveRowsKernel = void (*)(const PackedTriangle& triangle, const double* products, double* rows, int64_t stride,
                                 int64_t count, double* scratch);
/// sums[r] += Σ_i a[i, r] · b[i, r]
using AddColumnDotsKernel = void (*)(const double* a, const double* b, int64_t stride, int64_t count, double* sums);
/// rows[i, r] *= scale[r]; `scale` has `stride` entries.
using ScaleColumnsKernel = void (*)(double* rows, const double* scale, int64_t stride, int64_t count);

struct RowKernels {
  SolveRowsKernel solve_rows;
  AddColumnDotsKernel add_column_dots;
  ScaleColumnsKernel scale_columns;
};

/// Those for this processor.
RowKernels row_kernels();

}  // namespace tempera::detail

namespace tempera::simd::baseline {
detail::RowKernels row_kernels();
}
namespace tempera::simd::avx2 {
detail::RowKernels row_kernels();
}
namespace tempera::simd::avx512 {
detail::RowKernels row_kernels();
}
