#include "core/factorization/row_sums.hpp"

#include <cblas.h>

#include <algorithm>

#include "core/base/contract.hpp"
#include "core/factorization/detail/row_kernels.hpp"

namespace tempera {

namespace {

template <class Prepare>
void add_tiles(const FactorMatrix& product, const FactorMatrix& factor, Index first, Index count, RowSums& sums,
               Prepare&& prepare) {
  TEMPERA_EXPECTS(product.stride() == factor.stride() && first >= 0 && first + count <= factor.rows());
  const auto rank = static_cast<int>(sums.gram.rank), stride = static_cast<int>(factor.stride());
  std::vector<double> inner(static_cast<std::size_t>(stride), 0.0);
  const auto add_dots = detail::row_kernels().add_column_dots;
  for (Index row = first; row < first + count; row += kRowTile) {
    const Index tile = std::min(kRowTile, first + count - row);
    prepare(row, tile);
    cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, rank, static_cast<int>(tile), 1.0, factor.row(row), stride,
                1.0, sums.gram.values.data(), rank);
    add_dots(product.row(row), factor.row(row), stride, tile, inner.data());
  }
  for (Index j = 0; j < sums.gram.rank; ++j)
    for (Index i = j + 1; i < sums.gram.rank; ++i) sums.gram(i, j) = sums.gram(j, i);
  for (std::size_t r = 0; r < sums.inner.size(); ++r) sums.inner[r] += inner[r];
}

}  // namespace

void add_row_sums(const FactorMatrix& product, const FactorMatrix& factor, Index first, Index count, RowSums& sums) {
  add_tiles(product, factor, first, count, sums, [](Index, Index) {});
}

void solve_rows(const NormalEquations& equations, const FactorMatrix& product, FactorMatrix& factor, Index first,
                Index count, RowSums& sums) {
  add_tiles(product, factor, first, count, sums,
            [&](Index row, Index tile) { equations.solve(product, factor, row, tile); });
}

void scale_columns(FactorMatrix& rows, std::span<const double> scale) {
  TEMPERA_EXPECTS(std::ssize(scale) == rows.columns());
  std::vector<double> padded(static_cast<std::size_t>(rows.stride()), 0.0);
  std::copy(scale.begin(), scale.end(), padded.begin());
  detail::row_kernels().scale_columns(rows.data(), padded.data(), rows.stride(), rows.rows());
}

}  // namespace tempera
