#include "core/tensor/gram.hpp"

#include <cblas.h>

#include <algorithm>

#include "core/base/contract.hpp"

namespace tempera {

GramMatrix gram(const FactorMatrix& factor, Index first, Index count) {
  TEMPERA_EXPECTS(first >= 0 && count >= 0 && first + count <= factor.rows());
  GramMatrix result(factor.columns());
  const auto rank = static_cast<int>(result.rank);
  constexpr Index kRows = 4096;  // partial sums of a fixed length keep the rounding error small for long modes
  for (Index row = first; row < first + count; row += kRows)
    cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, rank, static_cast<int>(std::min(kRows, first + count - row)),
                1.0, factor.row(row), static_cast<int>(factor.stride()), 1.0, result.values.data(), rank);
  for (Index j = 0; j < result.rank; ++j)
    for (Index i = j + 1; i < result.rank; ++i) result(i, j) = result(j, i);
  return result;
}

GramMatrix hadamard(std::span<const GramMatrix> grams, int skip) {
  GramMatrix result(grams.front().rank);
  std::fill(result.values.begin(), result.values.end(), 1.0);
  for (std::size_t mode = 0; mode < grams.size(); ++mode)
    if (static_cast<int>(mode) != skip)
      for (std::size_t k = 0; k < result.values.size(); ++k) result.values[k] *= grams[mode].values[k];
  return result;
}

}  // namespace tempera
