#pragma once

// Included by *_simd.cpp: no standard header with inline functions may enter here (see core/CMakeLists.txt).
#include <stdint.h>

namespace tempera::detail {

constexpr int64_t kKernelColumns = 8;  ///< a Khatri–Rao row in a kernel is a multiple of this many doubles

/// result (rows × columns) = A · K, or += with `add`, where A[n, k] = a[n · row_step + k · inner_step] and one of the
/// steps is 1.
struct TallProduct {
  const double* a;
  int64_t row_step, inner_step;
  int64_t rows, inner;
  const double* k;   ///< inner × k_stride, row-major, 64-byte aligned
  int64_t k_stride;  ///< multiple of kKernelColumns
  double* result;    ///< rows × stride, row-major; 64-byte aligned where the stride is a multiple of kKernelColumns
  int64_t stride;    ///< 1, 2, 4 or k_stride: doubles written a row
  bool add;
};

/// Adds up over the inner index in pieces of a fixed length, each from zero, in increasing order: the bits of a row do
/// not depend on which rows are computed together.
using TallProductKernel = void (*)(const TallProduct& product);

/// Rows of a partial product, (l, q) at (l + q · step) · stride, and rows to multiply them with; all of `stride` doubles,
/// 1, 2, 4 or a multiple of kKernelColumns, aligned as those of a FactorMatrix.
struct PartialSum {
  const double* partial;
  int64_t left, right, step;
  const double* k;
  double* result;
  int64_t stride;
  bool add;
};

/// result[q] = Σ_l partial[l, q] ∘ k[l], or += with `add`.
using SumLeftKernel = void (*)(const PartialSum& sum);
/// result[l] = Σ_q partial[l, q] ∘ k[q], or += with `add`.
using SumRightKernel = void (*)(const PartialSum& sum);
/// out[i] = a[i] ∘ b for i in [0, count): rows of `a_stride` doubles into rows of `out_stride`, `columns` of each.
using ScaleRowsKernel = void (*)(const double* a, int64_t a_stride, int64_t count, int64_t columns, const double* b,
                                 double* out, int64_t out_stride);

}  // namespace tempera::detail

#define TEMPERA_DENSE_KERNELS                                                                                      \
  void tall_product(const detail::TallProduct& product);                                                           \
  void sum_left(const detail::PartialSum& sum);                                                                    \
  void sum_right(const detail::PartialSum& sum);                                                                   \
  void scale_rows(const double* a, int64_t a_stride, int64_t count, int64_t columns, const double* b, double* out, \
                  int64_t out_stride);

namespace tempera::simd::baseline {
TEMPERA_DENSE_KERNELS
}
namespace tempera::simd::avx2 {
TEMPERA_DENSE_KERNELS
}
namespace tempera::simd::avx512 {
TEMPERA_DENSE_KERNELS
}
#undef TEMPERA_DENSE_KERNELS
