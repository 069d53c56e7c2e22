#pragma once

#include <string_view>

namespace tempera {

/// Instruction sets the vector kernels are compiled for.
enum class SimdLevel { baseline, avx2, avx512 };

/// Best level of this processor, lowered by the environment variable TEMPERA_SIMD=baseline|avx2|avx512.
/// Read once a process.
SimdLevel simd_level();

std::string_view name(SimdLevel level);

}  // namespace tempera
