#include "core/base/simd.hpp"

#include <algorithm>
#include <cstdlib>

namespace tempera {

namespace {

SimdLevel processor_level() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512cd");
  if (avx512) return SimdLevel::avx512;
  if (avx2) return SimdLevel::avx2;
#endif
  return SimdLevel::baseline;
}

SimdLevel chosen_level() {
  const SimdLevel best = processor_level();
  const char* asked = std::getenv("TEMPERA_SIMD");
  if (asked == nullptr) return best;
  for (SimdLevel level : {SimdLevel::baseline, SimdLevel::avx2})
    if (name(level) == asked) return std::min(level, best);
  return best;
}

}  // namespace

SimdLevel simd_level() {
  static const SimdLevel level = chosen_level();
  return level;
}

std::string_view name(SimdLevel level) {
  switch (level) {
    case SimdLevel::baseline: return "baseline";
    case SimdLevel::avx2: return "avx2";
    case SimdLevel::avx512: return "avx512";
  }
  return "baseline";
}

}  // namespace tempera
