#pragma once

// Included by *_simd.cpp: no standard header with inline functions may enter here (see core/CMakeLists.txt).
#include <stdint.h>

namespace tempera::detail {

constexpr int kMaximumCellDepth = 8;
/// Of a logarithm: smaller model values are none.
constexpr double kLeastModel = 1e-290;

/// As CellFunction in core/tensor/cell_sums.hpp.
enum class CellTerm : int { residual, counts, logarithm, product, square, model };

/// Plain view of a CSF tree, of the factor rows of its levels and of what is made of them.
struct CellView {
  int depth;
  int merged;  ///< levels with pointers; on all below, node p has the child p
  const uint32_t* ids[kMaximumCellDepth];
  const uint32_t* pointers[kMaximumCellDepth];
  uint32_t roots;
  uint32_t cells;
  bool prefetch_all;  ///< rows of all levels below the merged ones, not of the leaves only
  const double* values;
  const double* factors[kMaximumCellDepth];  ///< by level
  int64_t stride;                            ///< doubles a factor row: 1, 2, 4 or a multiple of 8
  int64_t rank;                              ///< columns of it that count
  double* models;                            ///< one a cell
  double* rows;                              ///< one a root, `rank` doubles each
};

/// Model values of all cells.
using CellModelsKernel = void (*)(const CellView& view);
/// Rows of Σ weight · product of the rows of the levels below the root. @param weights  one a cell
using CellGatherKernel = void (*)(const CellView& view, const double* weights);
/// The same with the weights ∂φ/∂m, and the model values, in one pass. @pre stride ≤ kFusedColumns, no `product`
using CellFusedKernel = void (*)(const CellView& view, CellTerm term);
constexpr int64_t kFusedColumns = 32;
/// Σ φ over cells. −∞ where a logarithm is asked of a model value below kLeastModel and the cell is positive.
using CellValueKernel = double (*)(CellTerm term, const double* values, const double* models, int64_t count);
/// Turns model values into ∂φ/∂m.
using CellWeightsKernel = void (*)(CellTerm term, const double* values, double* models, int64_t count);

struct CellKernels {
  CellModelsKernel models;
  CellGatherKernel gather;
  CellFusedKernel fused;
  CellValueKernel value;
  CellWeightsKernel weights;
};

}  // namespace tempera::detail

namespace tempera::simd::baseline {
detail::CellKernels cell_kernels();
}  // namespace tempera::simd::baseline
namespace tempera::simd::avx2 {
detail::CellKernels cell_kernels();
}  // namespace tempera::simd::avx2
namespace tempera::simd::avx512 {
detail::CellKernels cell_kernels();
}  // namespace tempera::simd::avx512
