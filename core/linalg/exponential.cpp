#include "core/linalg/exponential.hpp"

#include "core/base/simd.hpp"
#include "core/linalg/detail/exponential_kernels.hpp"

namespace tempera {

void exponentials(std::span<double> values) {
  const auto count = static_cast<int64_t>(values.size());
#if defined(__x86_64__)
  switch (simd_level()) {
    case SimdLevel::avx512: return simd::avx512::exponentials(values.data(), count);
    case SimdLevel::avx2: return simd::avx2::exponentials(values.data(), count);
    case SimdLevel::baseline: break;
  }
#endif
  simd::baseline::exponentials(values.data(), count);
}

}  // namespace tempera
