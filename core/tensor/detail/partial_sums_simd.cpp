// Sums over one side of a partial product, each row multiplied by one of that side's factor rows (multi-TTV). The
// partial product is read once, in order; accumulators or the factor rows stay in registers.
#include "core/tensor/detail/dense_kernels.hpp"

#pragma GCC diagnostic ignored "-Wpsabi"  // vectors are passed by reference between inlined functions only

namespace tempera::simd::TEMPERA_SIMD {

namespace {

using detail::PartialSum;

#ifdef __AVX512F__
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
template <int Lanes>
struct VectorOf {
  typedef double type __attribute__((vector_size(Lanes * 8), aligned(Lanes * 8), may_alias));
};
constexpr int kTogether = 4;  // rows whose sums are kept apart (left), or factor rows in registers (right)
constexpr int64_t kChunkDoubles = 16384 / 8;  // result rows that stay in the first cache

template <int Lanes, int V>
void sum_left_panel(const PartialSum& s, int64_t column) {
  using Vector = typename VectorOf<Lanes>::type;
  for (int64_t q = 0; q < s.right; ++q) {
    const double* row = s.partial + q * s.step * s.stride + column;
    const double* k = s.k + column;
    Vector sum[kTogether][V];
    for (int t = 0; t < kTogether; ++t)
      for (int v = 0; v < V; ++v) sum[t][v] = Vector{};
    int64_t l = 0;
    for (; l + kTogether <= s.left; l += kTogether, row += kTogether * s.stride, k += kTogether * s.stride)
      for (int t = 0; t < kTogether; ++t)
        for (int v = 0; v < V; ++v)
          sum[t][v] += *reinterpret_cast<const Vector*>(row + t * s.stride + v * Lanes) *
                       *reinterpret_cast<const Vector*>(k + t * s.stride + v * Lanes);
    for (; l < s.left; ++l, row += s.stride, k += s.stride)
      for (int v = 0; v < V; ++v)
        sum[0][v] +=
            *reinterpret_cast<const Vector*>(row + v * Lanes) * *reinterpret_cast<const Vector*>(k + v * Lanes);
    auto* out = reinterpret_cast<Vector*>(s.result + q * s.stride + column);
    for (int v = 0; v < V; ++v) {
      const Vector all = (sum[0][v] + sum[1][v]) + (sum[2][v] + sum[3][v]);
      out[v] = s.add ? out[v] + all : all;
    }
  }
}

template <int Lanes, int V, int T>
inline __attribute__((always_inline)) void add_rows(const PartialSum& s, const double* partial, const double* k,
                                                    int64_t count, double* result) {
  using Vector = typename VectorOf<Lanes>::type;
  Vector factor[T][V];
  for (int t = 0; t < T; ++t)
    for (int v = 0; v < V; ++v) factor[t][v] = *reinterpret_cast<const Vector*>(k + t * s.stride + v * Lanes);
  for (int64_t l = 0; l < count; ++l) {
    auto* out = reinterpret_cast<Vector*>(result + l * s.stride);
    for (int v = 0; v < V; ++v) {
      Vector sum = out[v];
      for (int t = 0; t < T; ++t)
        sum += *reinterpret_cast<const Vector*>(partial + (l + t * s.step) * s.stride + v * Lanes) * factor[t][v];
      out[v] = sum;
    }
  }
}

template <int Lanes, int V>
void sum_right_panel(const PartialSum& s, int64_t column) {
  const int64_t chunk = s.stride < kChunkDoubles ? kChunkDoubles / s.stride : 1;
  for (int64_t begin = 0; begin < s.left; begin += chunk) {
    const int64_t count = begin + chunk < s.left ? chunk : s.left - begin;
    double* result = s.result + begin * s.stride + column;
    for (int64_t l = 0; l < count && !s.add; ++l)
      for (int c = 0; c < Lanes * V; ++c) result[l * s.stride + c] = 0;
    const double* partial = s.partial + begin * s.stride + column;
    const double* k = s.k + column;
    int64_t q = 0;
    for (; q + kTogether <= s.right; q += kTogether)
      add_rows<Lanes, V, kTogether>(s, partial + q * s.step * s.stride, k + q * s.stride, count, result);
    for (; q < s.right; ++q) add_rows<Lanes, V, 1>(s, partial + q * s.step * s.stride, k + q * s.stride, count, result);
  }
}

template <int Lanes, int V>
void sum_panel(const PartialSum& s, bool left, int64_t column) {
  if (left)
    sum_left_panel<Lanes, V>(s, column);
  else
    sum_right_panel<Lanes, V>(s, column);
}

void sum_all(const PartialSum& s, bool left) {
  if (s.stride == 1) return sum_panel<1, 1>(s, left, 0);
  if (s.stride == 2) return sum_panel<2, 1>(s, left, 0);
  if (s.stride == 4) return sum_panel<4, 1>(s, left, 0);
  for (int64_t column = 0; column < s.stride;) {
    if (s.stride - column >= 4 * kLanes) {
      sum_panel<kLanes, 4>(s, left, column);
      column += 4 * kLanes;
    } else if (s.stride - column >= 2 * kLanes) {
      sum_panel<kLanes, 2>(s, left, column);
      column += 2 * kLanes;
    } else {
      sum_panel<kLanes, 1>(s, left, column);
      column += kLanes;
    }
  }
}

}  // namespace

void sum_left(const PartialSum& sum) {
  sum_all(sum, true);
}

void sum_right(const PartialSum& sum) {
  sum_all(sum, false);
}

void scale_rows(const double* a, int64_t a_stride, int64_t count, int64_t columns, const double* b, double* out,
                int64_t out_stride) {
  for (int64_t i = 0; i < count; ++i) {
    const double* from = a + i * a_stride;
    double* to = out + i * out_stride;
    for (int64_t r = 0; r < columns; ++r) to[r] = from[r] * b[r];
  }
}

}  // namespace tempera::simd::TEMPERA_SIMD
