// e^x = 2^n e^r with n = round(x / log 2) and |r| ≤ log(2)/2, e^r by its Taylor polynomial of degree 13 (truncation 4e-18).
#include "core/linalg/detail/exponential_kernels.hpp"

#pragma GCC diagnostic ignored "-Wpsabi"  // vectors are passed by reference between inlined functions only

namespace tempera::simd::TEMPERA_SIMD {

namespace {

#if defined(__AVX512F__)
constexpr int64_t kLanes = 8;
#elif defined(__AVX2__)
constexpr int64_t kLanes = 4;
#else
constexpr int64_t kLanes = 2;
#endif
typedef double Vector __attribute__((vector_size(8 * kLanes), aligned(8), may_alias));
typedef int64_t Bits __attribute__((vector_size(8 * kLanes), aligned(8), may_alias));

constexpr double kLowest = -708.3, kHighest = 709.7827;  // 2^1024 is not a number
constexpr double kInfinity = __builtin_inf();
constexpr double kLog2High = 6.93147180369123816490e-01, kLog2Low = 1.90821492927058770002e-10;  // high: 33 digits
constexpr double kRounder = 6755399441055744.0;  // 1.5 · 2^52: adding it leaves the whole part in the last bits

inline __attribute__((always_inline)) void exponential(Vector& values) {
  const Vector x = values;
  const Vector shifted = x * 1.44269504088896340736 + kRounder;
  const Vector whole = shifted - kRounder;
  const Vector r = (x - whole * kLog2High) - whole * kLog2Low;
  Vector sum = r * (1 / 6227020800.0) + 1 / 479001600.0;
  sum = sum * r + 1 / 39916800.0;
  sum = sum * r + 1 / 3628800.0;
  sum = sum * r + 1 / 362880.0;
  sum = sum * r + 1 / 40320.0;
  sum = sum * r + 1 / 5040.0;
  sum = sum * r + 1 / 720.0;
  sum = sum * r + 1 / 120.0;
  sum = sum * r + 1 / 24.0;
  sum = sum * r + 1 / 6.0;
  sum = sum * r + 0.5;
  sum = sum * (r * r) + r;
  const Vector power = sum + 1.0;
  const Bits n = (Bits)shifted << 52;
  const Vector result = (Vector)((Bits)power + n);
  Vector bounded = x < kLowest ? Vector{} : result;
  bounded = x > kHighest ? Vector{} + kInfinity : bounded;
  values = x == x ? bounded : x;
}

}  // namespace

void exponentials(double* values, int64_t count) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) exponential(*reinterpret_cast<Vector*>(values + i));
  if (i == count) return;
  Vector rest = {};
  for (int64_t k = 0; k < count - i; ++k) rest[k] = values[i + k];
  exponential(rest);
  for (int64_t k = 0; k < count - i; ++k) values[i + k] = rest[k];
}

}  // namespace tempera::simd::TEMPERA_SIMD
