// Row-wise work of an update: triangular solves with many rows at a time, one in each lane of a vector.
#include "core/factorization/detail/row_kernels.hpp"

namespace tempera::simd::TEMPERA_SIMD {

namespace {

using detail::kSolveBlock;
using detail::PackedTriangle;

#if defined(__AVX512F__)
constexpr int64_t kLanes = 8;
#elif defined(__AVX__)
constexpr int64_t kLanes = 4;
#else
constexpr int64_t kLanes = 2;
#endif

typedef double Lanes __attribute__((vector_size(kLanes * 8)));
#if defined(__AVX__)
typedef double Quad __attribute__((vector_size(32)));
typedef double LooseQuad __attribute__((vector_size(32), aligned(8), may_alias));
typedef long long QuadIndex __attribute__((vector_size(32)));

inline Quad load(const double* from) {
  return *reinterpret_cast<const LooseQuad*>(from);
}

inline void store(double* to, Quad value) {
  *reinterpret_cast<LooseQuad*>(to) = value;
}

inline void transpose(Quad& a, Quad& b, Quad& c, Quad& d) {
  const Quad ab_even = __builtin_shuffle(a, b, QuadIndex{0, 4, 2, 6}),
             ab_odd = __builtin_shuffle(a, b, QuadIndex{1, 5, 3, 7});
  const Quad cd_even = __builtin_shuffle(c, d, QuadIndex{0, 4, 2, 6}),
             cd_odd = __builtin_shuffle(c, d, QuadIndex{1, 5, 3, 7});
  a = __builtin_shuffle(ab_even, cd_even, QuadIndex{0, 1, 4, 5});
  b = __builtin_shuffle(ab_odd, cd_odd, QuadIndex{0, 1, 4, 5});
  c = __builtin_shuffle(ab_even, cd_even, QuadIndex{2, 3, 6, 7});
  d = __builtin_shuffle(ab_odd, cd_odd, QuadIndex{2, 3, 6, 7});
}

/// Moves 4 × 4 entries from one matrix to the transpose of another.
inline void move_transposed(const double* from, int64_t from_stride, double* to, int64_t to_stride) {
  Quad a = load(from), b = load(from + from_stride), c = load(from + 2 * from_stride), d = load(from + 3 * from_stride);
  transpose(a, b, c, d);
  store(to, a);
  store(to + to_stride, b);
  store(to + 2 * to_stride, c);
  store(to + 3 * to_stride, d);
}

constexpr int64_t kSquare = 4;
#else
inline void move_transposed(const double* from, int64_t from_stride, double* to, int64_t to_stride) {
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t j = 0; j < 2; ++j) to[j * to_stride + i] = from[i * from_stride + j];
}

constexpr int64_t kSquare = 2;
#endif

/// Columns of kLanes rows side by side: lanes[column * kLanes + row].
inline void to_lanes(const double* rows, int64_t stride, double* lanes) {
  int64_t column = 0;
  for (; column + kSquare <= stride; column += kSquare)
    for (int64_t row = 0; row < kLanes; row += kSquare)
      move_transposed(rows + row * stride + column, stride, lanes + column * kLanes + row, kLanes);
  for (; column < stride; ++column)
    for (int64_t row = 0; row < kLanes; ++row) lanes[column * kLanes + row] = rows[row * stride + column];
}

inline void from_lanes(const double* lanes, int64_t stride, double* rows) {
  int64_t column = 0;
  for (; column + kSquare <= stride; column += kSquare)
    for (int64_t row = 0; row < kLanes; row += kSquare)
      move_transposed(lanes + column * kLanes + row, kLanes, rows + row * stride + column, stride);
  for (; column < stride; ++column)
    for (int64_t row = 0; row < kLanes; ++row) rows[row * stride + column] = lanes[column * kLanes + row];
}

/// sums[b] −= coefficients[k][b] · x[k] for all k.
inline void subtract(Lanes* sums, const double* coefficients, const Lanes* x, int64_t count) {
  for (int64_t k = 0; k < count; ++k) {
    const Lanes term = x[k];
#pragma GCC unroll 8
    for (int64_t b = 0; b < kSolveBlock; ++b) sums[b] -= coefficients[k * kSolveBlock + b] * term;
  }
}

/// RᵀR x = m for the kLanes right-hand sides in x.
inline void solve_lanes(const PackedTriangle& triangle, Lanes* x) {
  const int64_t blocks = triangle.size / kSolveBlock;
  const double* coefficients = triangle.forward;
  for (int64_t block = 0; block < blocks; ++block) {
    Lanes* own = x + block * kSolveBlock;
    const double* reciprocals = triangle.reciprocals + block * kSolveBlock;
    Lanes sums[kSolveBlock];
    for (int64_t b = 0; b < kSolveBlock; ++b) sums[b] = own[b];
    subtract(sums, coefficients, x, block * kSolveBlock);
    coefficients += block * kSolveBlock * kSolveBlock;
#pragma GCC unroll 8
    for (int64_t k = 0; k < kSolveBlock; ++k) {
      sums[k] *= reciprocals[k];
#pragma GCC unroll 8
      for (int64_t b = k + 1; b < kSolveBlock; ++b) sums[b] -= coefficients[k * kSolveBlock + b] * sums[k];
      own[k] = sums[k];
    }
    coefficients += kSolveBlock * kSolveBlock;
  }
  coefficients = triangle.backward + kSolveBlock * kSolveBlock * (blocks * (blocks + 1) / 2);
  for (int64_t block = blocks; block-- > 0;) {
    Lanes* own = x + block * kSolveBlock;
    const double* reciprocals = triangle.reciprocals + block * kSolveBlock;
    const int64_t behind = triangle.size - (block + 1) * kSolveBlock;
    coefficients -= (behind + kSolveBlock) * kSolveBlock;
    Lanes sums[kSolveBlock];
    for (int64_t b = 0; b < kSolveBlock; ++b) sums[b] = own[b];
    subtract(sums, coefficients + kSolveBlock * kSolveBlock, own + kSolveBlock, behind);
#pragma GCC unroll 8
    for (int64_t k = kSolveBlock - 1; k >= 0; --k) {
      sums[k] *= reciprocals[k];
#pragma GCC unroll 8
      for (int64_t b = 0; b < k; ++b) sums[b] -= coefficients[k * kSolveBlock + b] * sums[k];
      own[k] = sums[k];
    }
  }
}

void solve_rows(const PackedTriangle& triangle, const double* products, double* rows, int64_t stride, int64_t count,
                double* scratch) {
  for (int64_t column = stride; column < triangle.size; ++column)
    for (int64_t lane = 0; lane < kLanes; ++lane) scratch[column * kLanes + lane] = 0;
  Lanes* x = reinterpret_cast<Lanes*>(scratch);
  int64_t row = 0;
  for (; row + kLanes <= count; row += kLanes) {
    to_lanes(products + row * stride, stride, scratch);
    solve_lanes(triangle, x);
    from_lanes(scratch, stride, rows + row * stride);
  }
  if (row == count) return;
  for (int64_t column = 0; column < stride; ++column)
    for (int64_t lane = 0; lane < kLanes; ++lane)
      scratch[column * kLanes + lane] = row + lane < count ? products[(row + lane) * stride + column] : 0;
  solve_lanes(triangle, x);
  for (int64_t column = 0; column < stride; ++column)
    for (int64_t lane = 0; row + lane < count; ++lane)
      rows[(row + lane) * stride + column] = scratch[column * kLanes + lane];
}

void add_column_dots(const double* a, const double* b, int64_t stride, int64_t count, double* sums) {
  // Sixteen columns at a time stay in registers; rows are added in their order.
  constexpr int64_t kColumns = 16;
  int64_t first = 0;
  for (; first + kColumns <= stride; first += kColumns) {
    double run[kColumns] = {};
    for (int64_t i = 0; i < count; ++i)
      for (int64_t r = 0; r < kColumns; ++r) run[r] += a[i * stride + first + r] * b[i * stride + first + r];
    for (int64_t r = 0; r < kColumns; ++r) sums[first + r] += run[r];
  }
  if (first == stride) return;
  double run[kColumns] = {};
  for (int64_t i = 0; i < count; ++i)
    for (int64_t r = first; r < stride; ++r) run[r - first] += a[i * stride + r] * b[i * stride + r];
  for (int64_t r = first; r < stride; ++r) sums[r] += run[r - first];
}

void scale_columns(double* __restrict rows, const double* __restrict scale, int64_t stride, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    for (int64_t r = 0; r < stride; ++r) rows[i * stride + r] *= scale[r];
}

}  // namespace

detail::RowKernels row_kernels() {
  return {solve_rows, add_column_dots, scale_columns};
}

}  // namespace tempera::simd::TEMPERA_SIMD
