#pragma once

// Included by *_simd.cpp: no standard header with inline functions may enter here (see core/CMakeLists.txt).
#include <stdint.h>

namespace tempera::detail {

constexpr int kMaximumDepth = 8;

/// Plain view of a CSF tree and of the factor rows of its levels, as the vector kernels read them.
struct CsfView {
  int depth;
  int merged;  ///< levels with pointers; on all below, node p has the child p
  const uint32_t* ids[kMaximumDepth];
  const uint32_t* pointers[kMaximumDepth];
  bool prefetch_all;  ///< rows of all levels below the merged ones, not of the leaves only
  const double* values;
  const double* factors[kMaximumDepth];  ///< by level; the target's entry is not read
  int64_t stride;                        ///< doubles a factor row: 1, 2, 4 or a multiple of 8
  double* result;                        ///< rows of the target mode, same stride; zero on entry
  int target;                            ///< level whose mode is computed
};

/// Adds the contribution of the root nodes [begin, end) to the result, for all columns.
/// The kernel of the fibre products writes row c of the result for every node c of level 1 below those roots instead.
using CsfMttkrpKernel = void (*)(const CsfView& view, uint32_t begin, uint32_t end);

/// model[p] = Σ_r Π_levels factor rows, for the leaves below the root nodes [begin, end); weights are folded into one
/// factor by the caller. Writes the sums (Σ (value − model)², Σ model²) to `sums`.
using CsfResidualKernel = void (*)(const CsfView& view, uint32_t begin, uint32_t end, double* sums);

}  // namespace tempera::detail

namespace tempera::simd::baseline {
void csf_mttkrp(const detail::CsfView& view, uint32_t begin, uint32_t end);
void csf_fibre_products(const detail::CsfView& view, uint32_t begin, uint32_t end);
void csf_residual(const detail::CsfView& view, uint32_t begin, uint32_t end, double* sums);
}  // namespace tempera::simd::baseline
namespace tempera::simd::avx2 {
void csf_mttkrp(const detail::CsfView& view, uint32_t begin, uint32_t end);
void csf_fibre_products(const detail::CsfView& view, uint32_t begin, uint32_t end);
void csf_residual(const detail::CsfView& view, uint32_t begin, uint32_t end, double* sums);
}  // namespace tempera::simd::avx2
namespace tempera::simd::avx512 {
void csf_mttkrp(const detail::CsfView& view, uint32_t begin, uint32_t end);
void csf_fibre_products(const detail::CsfView& view, uint32_t begin, uint32_t end);
void csf_residual(const detail::CsfView& view, uint32_t begin, uint32_t end, double* sums);
}  // namespace tempera::simd::avx512
