// Cyclic minimisation over the entries of nonnegative rows, eight rows side by side: every lane does the same operations
// in the same order, and a lane whose row is done changes no more, so that a row does not depend on its neighbours.
#include "core/factorization/detail/hals_kernels.hpp"

#pragma GCC diagnostic ignored "-Wpsabi"  // vectors are passed by reference between inlined functions only

namespace tempera::simd::TEMPERA_SIMD {

namespace {

typedef double Vector __attribute__((vector_size(64), aligned(64), may_alias));
typedef int64_t Mask __attribute__((vector_size(64), aligned(64), may_alias));
constexpr int kSums = 4;  // partial sums that run side by side

/// One pass over the columns; `change` is what the rows that are `open` changed, squared and weighted by the curvature.
inline __attribute__((always_inline)) void sweep(const detail::HalsRows& rows, const Vector* m, Vector* u,
                                                 const Mask& open, Vector& change) {
  change = Vector{};
  for (int64_t r = 0; r < rows.rank; ++r) {
    const double* column = rows.h + r * rows.rank;
    const double curvature = column[r];
    if (curvature <= 0) continue;
    Vector sums[kSums] = {};
    int64_t s = 0;
    for (; s + kSums <= rows.rank; s += kSums)
      for (int k = 0; k < kSums; ++k) sums[k] += u[s + k] * column[s + k];
    for (; s < rows.rank; ++s) sums[0] += u[s] * column[s];
    const Vector product = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    const Vector free = u[r] + (m[r] - product) / curvature;
    const Vector updated = free > 0.0 ? free : Vector{};
    const Vector step = open ? updated - u[r] : Vector{};
    change += curvature * step * step;
    u[r] = open ? updated : u[r];
  }
}

}  // namespace

void hals_rows(const detail::HalsRows& rows) {
  auto* m = reinterpret_cast<Vector*>(rows.work);
  auto* u = m + rows.rank;
  for (int64_t first = 0; first < rows.count; first += detail::kHalsRows) {
    const int64_t here = rows.count - first < detail::kHalsRows ? rows.count - first : detail::kHalsRows;
    for (int64_t r = 0; r < rows.rank; ++r)
      for (int64_t lane = 0; lane < detail::kHalsRows; ++lane) {
        const int64_t i = first + (lane < here ? lane : 0);
        m[r][lane] = rows.m[i * rows.m_stride + r];
        u[r][lane] = rows.u[i * rows.u_stride + r];
      }
    Mask open = Mask{} == Mask{};
    Vector start, change;
    sweep(rows, m, u, open, start);
    for (int64_t pass = 1; pass < rows.passes; ++pass) {
      sweep(rows, m, u, open, change);
      open &= change > rows.negligible * start;
      int64_t any = 0;
      for (int64_t lane = 0; lane < detail::kHalsRows; ++lane) any |= open[lane];
      if (any == 0) break;
    }
    for (int64_t r = 0; r < rows.rank; ++r)
      for (int64_t lane = 0; lane < here; ++lane) rows.u[(first + lane) * rows.u_stride + r] = u[r][lane];
  }
}

}  // namespace tempera::simd::TEMPERA_SIMD
