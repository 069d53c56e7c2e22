#pragma once

// Included by *_simd.cpp: no standard header with inline functions may enter here (see core/CMakeLists.txt).
#include <stdint.h>

namespace tempera::simd::baseline {
void exponentials(double* values, int64_t count);
}  // namespace tempera::simd::baseline
namespace tempera::simd::avx2 {
void exponentials(double* values, int64_t count);
}  // namespace tempera::simd::avx2
namespace tempera::simd::avx512 {
void exponentials(double* values, int64_t count);
}  // namespace tempera::simd::avx512
