#include "core/factorization/hals.hpp"

#include <vector>

#include "core/base/contract.hpp"
#include "core/base/parallel.hpp"
#include "core/base/simd.hpp"
#include "core/factorization/detail/hals_kernels.hpp"

namespace tempera {

namespace {

constexpr Index kPieceRows = 32 * detail::kHalsRows;  // what a thread takes at a time

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

void hals_update(const GramMatrix& h, const FactorMatrix& m, FactorMatrix& u, Index first, Index count, int threads) {
  TEMPERA_EXPECTS(m.columns() == h.rank && u.columns() == h.rank);
  constexpr double kNegligible = 1e-4;  // squared: 1 % of the first pass
  std::vector<FactorMatrix> work(static_cast<std::size_t>(workers_for(count, kPieceRows, threads)),
                                 FactorMatrix(2 * h.rank, detail::kHalsRows));
  for_each_piece(count, kPieceRows, threads, [&](const Piece& piece) {
    const Index row = first + piece.begin;
    kernel()({h.values.data(), m.row(row), u.row(row), h.rank, piece.end - piece.begin, m.stride(), u.stride(),
              kHalsPasses, kNegligible, work[static_cast<std::size_t>(piece.worker)].data()});
  });
}

}  // namespace tempera
