#include "core/factorization/hals.hpp"

#include "core/base/contract.hpp"
#include "core/base/simd.hpp"
#include "core/factorization/detail/hals_kernels.hpp"

namespace tempera {

namespace {

detail::HalsKernel kernel() {
#if defined(__x86_64__)
  switch (simd_level()) {
    case SimdLevel::avx512: return simd::avx512::hals_rows;
    case SimdLevel::avx2: return simd::avx2::hals_rows;
    case SimdLevel::baseline: break;
  }
#endif
  return simd::baseline::hals_rows;
}

}  // namespace

void hals_update(const GramMatrix& h, const FactorMatrix& m, FactorMatrix& u, Index first, Index count) {
  TEMPERA_EXPECTS(m.columns() == h.rank && u.columns() == h.rank);
  if (count == 0) return;
  constexpr double kNegligible = 1e-4;  // squared: 1 % of the first pass
  FactorMatrix work(2 * h.rank, detail::kHalsRows);
  kernel()({h.values.data(), m.row(first), u.row(first), h.rank, count, m.stride(), u.stride(), kHalsPasses,
            kNegligible, work.data()});
}

}  // namespace tempera
