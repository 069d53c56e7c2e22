#include "core/base/detail/roofline_kernels.hpp"

namespace tempera::TEMPERA_SIMD {

namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 8;
#elif defined(__AVX2__)
constexpr int kLanes = 4;
#else
constexpr int kLanes = 2;
#endif
using Vector = double __attribute__((vector_size(kLanes * sizeof(double))));
// Enough independent sums to hide a latency of five cycles at two a cycle, few enough for sixteen registers.
constexpr int kSums = 12;

}  // namespace

void triad(double* __restrict a, const double* __restrict b, const double* __restrict c, double scale, long n) {
  for (long i = 0; i < n; ++i) a[i] = b[i] + scale * c[i];
}

double multiply_add_burst(long rounds, double factor, double* sink) {
  const Vector multiplier = Vector{} + factor;
  const Vector addend = Vector{} + (1 - factor);
  Vector sums[kSums];
  for (int k = 0; k < kSums; ++k) sums[k] = Vector{} + (1.0 + k);
  for (long round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int k = 0; k < kSums; ++k) sums[k] = sums[k] * multiplier + addend;
  }
  Vector total{};
  for (int k = 0; k < kSums; ++k) total += sums[k];
  for (int lane = 0; lane < kLanes; ++lane) *sink += total[lane];
  return 2.0 * kSums * kLanes * static_cast<double>(rounds);
}

}  // namespace tempera::TEMPERA_SIMD
