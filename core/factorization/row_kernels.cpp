#include "core/factorization/detail/row_kernels.hpp"
#include "core/base/simd.hpp"

namespace tempera::detail {

RowKernels row_kernels() {
  switch (simd_level()) {
#if defined(__x86_64__)
    case SimdLevel::avx512: return simd::avx512::row_kernels();
    case SimdLevel::avx2: return simd::avx2::row_kernels();
#endif
    default: return simd::baseline::row_kernels();
  }
}

}  // namespace tempera::detail
