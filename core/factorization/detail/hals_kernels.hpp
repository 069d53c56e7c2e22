#pragma once

// Included by *_simd.cpp: no standard header with inline functions may enter here (see core/CMakeLists.txt).
#include <stdint.h>

namespace tempera::detail {

/// What hals_update does, for kHalsRows rows or fewer at a time, one in each lane of a vector.
struct HalsRows {
  const double* h;  ///< rank × rank, column-major
  const double* m;
  double* u;
  int64_t rank, count, m_stride, u_stride;
  int64_t passes;
  double negligible;  ///< share of the first pass's change below which a row is done
  double* work;       ///< 2 · rank · kHalsRows doubles, 64-byte aligned
};

constexpr int64_t kHalsRows = 8;

using HalsKernel = void (*)(const HalsRows& rows);

}  // namespace tempera::detail

namespace tempera::simd::baseline {
void hals_rows(const detail::HalsRows& rows);
}  // namespace tempera::simd::baseline
namespace tempera::simd::avx2 {
void hals_rows(const detail::HalsRows& rows);
}  // namespace tempera::simd::avx2
namespace tempera::simd::avx512 {
void hals_rows(const detail::HalsRows& rows);
}  // namespace tempera::simd::avx512
