#pragma once

// Included by *_simd.cpp: no standard header with inline functions may enter here (see core/CMakeLists.txt).
#include <stdint.h>

namespace tempera::detail {

constexpr int kMaximumCountDepth = 8;
/// Cells whose second derivatives are summed together.
constexpr int kTriangleCells = 16;

/// Rows of scratch memory that the kernels need, each of `stride` doubles.
constexpr int64_t count_scratch_rows(int depth, int64_t stride, bool curvature) {
  return depth + 2 + (curvature ? 2 * kTriangleCells + stride : 0);
}

/// Plain view of stored cells as a tree of one level a mode, with factor rows. A CSF tree brings `ids` and, where levels are
/// merged, `pointers`; a dense block has none: node p of a level has the children p·extent … p·extent + extent − 1 of the next, level 0 being
/// the slowest mode, so that leaf positions are those of the values.
struct CountView {
  int depth;
  const uint32_t* ids[kMaximumCountDepth];
  const uint32_t* pointers[kMaximumCountDepth];
  int64_t extents[kMaximumCountDepth];
  const double* values;
  const double* factors[kMaximumCountDepth];  ///< by level
  int64_t stride;                             ///< doubles a factor row
  int64_t rank;                               ///< columns of it that count
  int target;                                 ///< level of the mode at hand; −1: none
  double* result;                             ///< rows of the target mode
  int64_t result_stride;
  bool curvature;   ///< with the packed second derivatives behind the first
  bool of_model;    ///< derivatives at the model of the target's rows, of positive cells; else sums without it, of all
  double* scratch;  ///< count_scratch_rows rows, the first the weights; 64-byte aligned
};

/// Sums over cells: see CountSums.
struct CountTotals {
  double deviance;
  double model;
  double inner_product;
};

using CountProductsKernel = void (*)(const CountView& view, int64_t begin, int64_t end);
using CountSumsKernel = void (*)(const CountView& view, int64_t begin, int64_t end, CountTotals* totals);

}  // namespace tempera::detail

namespace tempera::simd::baseline {
void count_products(const detail::CountView& view, int64_t begin, int64_t end);
void count_sums(const detail::CountView& view, int64_t begin, int64_t end, detail::CountTotals* totals);
}  // namespace tempera::simd::baseline
namespace tempera::simd::avx2 {
void count_products(const detail::CountView& view, int64_t begin, int64_t end);
void count_sums(const detail::CountView& view, int64_t begin, int64_t end, detail::CountTotals* totals);
}  // namespace tempera::simd::avx2
namespace tempera::simd::avx512 {
void count_products(const detail::CountView& view, int64_t begin, int64_t end);
void count_sums(const detail::CountView& view, int64_t begin, int64_t end, detail::CountTotals* totals);
}  // namespace tempera::simd::avx512
