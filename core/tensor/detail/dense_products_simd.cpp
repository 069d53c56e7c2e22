// Products of a dense block with Khatri–Rao rows, and sums of partial products. A tile of the result (a few rows, up to
// four vectors of columns) stays in registers while the inner index runs; each cell of the tensor is broadcast once
// for all columns of a panel, so that a tall tensor times few columns goes as fast as memory delivers it.
#include "core/tensor/detail/dense_kernels.hpp"

#pragma GCC diagnostic ignored "-Wpsabi"  // vectors are passed by reference between inlined functions only

namespace tempera::simd::TEMPERA_SIMD {

namespace {

using detail::TallProduct;

#ifdef __AVX512F__
typedef double Vector __attribute__((vector_size(64), aligned(64), may_alias));
constexpr int kLanes = 8;
constexpr int kWidest = 4;  // vectors of a panel
constexpr int kTileRows[kWidest + 1] = {0, 24, 12, 8, 6};
constexpr int kGroupColumns[kWidest + 1] = {0, 16, 8, 8, 4};
#else
typedef double Vector __attribute__((vector_size(32), aligned(32), may_alias));
constexpr int kLanes = 4;
constexpr int kWidest = 2;
constexpr int kTileRows[kWidest + 1] = {0, 8, 6};
constexpr int kGroupColumns[kWidest + 1] = {0, 8, 4};
#endif
constexpr int kLine = 8;              // doubles
constexpr int64_t kInnerPiece = 512;  // inner indices that are added up from zero
constexpr int kSmallTile = 4;
constexpr int64_t kChunkVectors = 16384 / sizeof(Vector);  // half of the first cache

/// Puts or adds one row's sums into the result, without the columns that it does not have.
template <int V>
inline __attribute__((always_inline)) void put_columns(const TallProduct& p, bool add, const Vector* sum,
                                                       int64_t column, double* row) {
  double* out = row + column;
  if (p.stride == p.k_stride) {
    auto* vectors = reinterpret_cast<Vector*>(out);
    for (int v = 0; v < V; ++v) vectors[v] = add ? vectors[v] + sum[v] : sum[v];
  } else {
    for (int v = 0; v < V; ++v)
      for (int64_t r = 0; r < kLanes && column + v * kLanes + r < p.stride; ++r)
        out[v * kLanes + r] = add ? out[v * kLanes + r] + sum[v][r] : sum[v][r];
  }
}

/// Where the inner index runs along the columns of A: N rows of the result, V vectors of columns from `column` on.
template <int V, int N>
inline __attribute__((always_inline)) void add_tile(const TallProduct& p, const double* a, int64_t inner, int64_t count,
                                                    int64_t column, double* result) {
  Vector sum[N][V];
  for (int n = 0; n < N; ++n)
    for (int v = 0; v < V; ++v) sum[n][v] = Vector{};
  const double* k = p.k + inner * p.k_stride + column;
  for (int64_t i = 0; i < count; ++i) {
    if (i % kLine == 0)
      for (int n = 0; n < N; ++n) __builtin_prefetch(a + (n + N) * p.row_step);
    Vector row[V];
    for (int v = 0; v < V; ++v) row[v] = *reinterpret_cast<const Vector*>(k + v * kLanes);
#pragma GCC unroll 32
    for (int n = 0; n < N; ++n) {
      const double value = a[n * p.row_step];
      for (int v = 0; v < V; ++v) sum[n][v] += value * row[v];
    }
    ++a;
    k += p.k_stride;
  }
  for (int n = 0; n < N; ++n) put_columns<V>(p, p.add || inner > 0, sum[n], column, result + n * p.stride);
}

template <int V>
void columns_inside(const TallProduct& p, int64_t inner, int64_t count, int64_t column) {
  constexpr int kRows = kTileRows[V];
  const double* a = p.a + inner;
  int64_t n = 0;
  for (; n + kRows <= p.rows; n += kRows)
    add_tile<V, kRows>(p, a + n * p.row_step, inner, count, column, p.result + n * p.stride);
  for (; n + kSmallTile <= p.rows; n += kSmallTile)
    add_tile<V, kSmallTile>(p, a + n * p.row_step, inner, count, column, p.result + n * p.stride);
  for (; n < p.rows; ++n) add_tile<V, 1>(p, a + n * p.row_step, inner, count, column, p.result + n * p.stride);
}

/// Where the rows of the result run along the columns of A: adds C of them, whose Khatri–Rao rows stay in registers.
template <int V, int C>
inline __attribute__((always_inline)) void add_group(const TallProduct& p, const double* a, const double* k,
                                                     int64_t rows, Vector* sum) {
  Vector row[C][V];
  for (int c = 0; c < C; ++c)
    for (int v = 0; v < V; ++v) row[c][v] = *reinterpret_cast<const Vector*>(k + c * p.k_stride + v * kLanes);
  for (int64_t n = 0; n < rows; ++n) {
    if (n % kLine == 0)
      for (int c = 0; c < C; ++c) __builtin_prefetch(a + n + (c + C) * p.inner_step);
    Vector own[V];
    for (int v = 0; v < V; ++v) own[v] = sum[n * V + v];
#pragma GCC unroll 32
    for (int c = 0; c < C; ++c) {
      const double value = a[n + c * p.inner_step];
      for (int v = 0; v < V; ++v) own[v] += value * row[c][v];
    }
    for (int v = 0; v < V; ++v) sum[n * V + v] = own[v];
  }
}

template <int V>
void columns_across(const TallProduct& p, int64_t inner, int64_t count, int64_t column) {
  constexpr int64_t kChunk = kChunkVectors / V;
  constexpr int kGroup = kGroupColumns[V];
  Vector sum[kChunk * V];
  for (int64_t begin = 0; begin < p.rows; begin += kChunk) {
    const int64_t rows = begin + kChunk < p.rows ? kChunk : p.rows - begin;
    for (int64_t n = 0; n < rows * V; ++n) sum[n] = Vector{};
    const double* a = p.a + begin + inner * p.inner_step;
    const double* k = p.k + inner * p.k_stride + column;
    int64_t i = 0;
    for (; i + kGroup <= count; i += kGroup)
      add_group<V, kGroup>(p, a + i * p.inner_step, k + i * p.k_stride, rows, sum);
    for (; i < count; ++i) add_group<V, 1>(p, a + i * p.inner_step, k + i * p.k_stride, rows, sum);
    for (int64_t n = 0; n < rows; ++n)
      put_columns<V>(p, p.add || inner > 0, sum + n * V, column, p.result + (begin + n) * p.stride);
  }
}

template <int V>
void add_panel(const TallProduct& p, int64_t inner, int64_t count, int64_t column) {
  if (p.row_step == 1)
    columns_across<V>(p, inner, count, column);
  else
    columns_inside<V>(p, inner, count, column);
}

}  // namespace

void tall_product(const TallProduct& p) {
  for (int64_t inner = 0; inner < p.inner; inner += kInnerPiece) {
    const int64_t count = inner + kInnerPiece < p.inner ? kInnerPiece : p.inner - inner;
    for (int64_t column = 0; column < p.k_stride;) {
      const int64_t vectors = (p.k_stride - column) / kLanes;
      if (vectors >= kWidest) {
        add_panel<kWidest>(p, inner, count, column);
        column += kWidest * kLanes;
        continue;
      }
#ifdef __AVX512F__
      if (vectors == 3) add_panel<3>(p, inner, count, column);
      if (vectors == 2) add_panel<2>(p, inner, count, column);
#endif
      if (vectors == 1) add_panel<1>(p, inner, count, column);
      break;
    }
  }
}

}  // namespace tempera::simd::TEMPERA_SIMD
