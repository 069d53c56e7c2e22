#include <cblas.h>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/linalg/khatri_rao.hpp"
#include "core/tensor/detail/dense_products.hpp"
#include "core/tensor/mttkrp.hpp"

namespace tempera {

namespace {

constexpr Index kBlockDoubles = Index{1} << 17;    // 1 MB of Khatri–Rao rows at a time
constexpr Index kPartialDoubles = Index{1} << 20;  // 8 MB of partial products at a time

/// BLAS counts in 32 bits. @throws Error{environment} for a block that is larger than it can address
int blas_size(Index size) {
  if (size > std::numeric_limits<int>::max())
    throw Error(Category::environment, "",
                fmt::format("a dense block with {} rows of one unfolding on an MPI rank", size),
                "use more MPI ranks: BLAS addresses at most 2^31 - 1 rows");
  return static_cast<int>(size);
}

using detail::product;

/// An inner mode: contract the larger side with the cells, then the smaller one with the partial product, which is made in
/// blocks, so that a high rank cannot make it larger than the tensor.
void inner_mode(const DenseTensor& tensor, std::span<const FactorMatrix> factors, int mode, FactorMatrix& result,
                int threads) {
  const auto m = static_cast<std::size_t>(mode);
  const std::span<const Index> shape = tensor.shape();
  const Index left = product(shape.first(m)), size = shape[m], right = product(shape.subspan(m + 1));
  const auto left_rows = detail::row_views(factors.first(m)), right_rows = detail::row_views(factors.subspan(m + 1));
  const double* x = tensor.values().data();
  const Index stride = result.stride();
  if (left <= right) {
    // partial[(l, i)] = Σ_right x[(l, i), right] K[right] for a block of i, then the sum over l.
    const Index block = std::clamp<Index>(kPartialDoubles / (left * stride), 1, size);
    FactorMatrix partial(left * block, result.columns());
    for (Index first = 0; first < size; first += block) {
      const Index count = std::min(block, size - first);
      detail::contract_right(detail::CellMatrix{x + left * first, left * count, right, left * size}, right_rows,
                             partial.data(), stride, threads);
      detail::contract_left(detail::PartialMatrix{partial.data(), left, count}, left_rows, result.row(first), stride,
                            threads);
    }
  } else {
    // partial[(i, q)] = Σ_left x[left, (i, q)] K[left] for a block of q, then the sum over q.
    const Index block = std::clamp<Index>(kPartialDoubles / (size * stride), 1, right);
    FactorMatrix partial(size * block, result.columns());
    for (Index first = 0; first < right; first += block) {
      const Index count = std::min(block, right - first);
      detail::contract_left(detail::CellMatrix{x + left * size * first, left, size * count, left}, left_rows,
                            partial.data(), stride, threads);
      detail::contract_right(detail::PartialMatrix{partial.data(), size, count, first}, right_rows, result.data(),
                             stride, threads);
    }
  }
}

}  // namespace

void mttkrp(const DenseTensor& tensor, std::span<const FactorMatrix> factors, int mode, FactorMatrix& result,
            int threads) {
  TEMPERA_EXPECTS(static_cast<int>(factors.size()) == tensor.order());
  TEMPERA_EXPECTS(mode >= 0 && mode < tensor.order());
  TEMPERA_EXPECTS(result.rows() == tensor.shape()[static_cast<std::size_t>(mode)]);
  if (tensor.size() == 0) result.set_zero();
  if (tensor.size() == 0 || result.columns() == 0) return;
  const Index size = result.rows(), others = tensor.size() / size;
  const double* x = tensor.values().data();
  if (mode == 0) {
    detail::contract_right(detail::CellMatrix{x, size, others, size}, detail::row_views(factors.subspan(1)),
                           result.data(), result.stride(), threads);
  } else if (mode == tensor.order() - 1) {
    detail::contract_left(detail::CellMatrix{x, others, size, others},
                          detail::row_views(factors.first(factors.size() - 1)), result.data(), result.stride(),
                          threads);
  } else {
    inner_mode(tensor, factors, mode, result, threads);
  }
}

ResidualSums residual_sums(const DenseTensor& tensor, std::span<const FactorMatrix> factors,
                           std::span<const double> weights) {
  ResidualSums sums;
  if (tensor.size() == 0) return sums;
  const Index size = tensor.shape().front(), others = tensor.size() / size;
  const auto rank = static_cast<Index>(weights.size());
  const auto slow_views = detail::row_views(factors.subspan(1));
  const Index block = std::clamp<Index>(kBlockDoubles / std::max<Index>(rank, size), 1, others);
  std::vector<double> krp(static_cast<std::size_t>(block * rank)), model(static_cast<std::size_t>(block * size));
  for (Index first = 0; first < others; first += block) {
    const Index count = std::min(block, others - first);
    khatri_rao_rows(slow_views, first, count, krp.data(), rank);
    for (Index k = 0; k < count; ++k)
      for (Index r = 0; r < rank; ++r)
        krp[static_cast<std::size_t>(k * rank + r)] *= weights[static_cast<std::size_t>(r)];
    // model (size × count, column-major) = U_0 (size × rank) · krp'
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, blas_size(size), blas_size(count), blas_size(rank), 1.0,
                factors.front().data(), blas_size(factors.front().stride()), krp.data(), blas_size(rank), 0.0,
                model.data(), blas_size(size));
    const double* x = tensor.values().data() + first * size;
    double residual = 0, squared = 0;
    for (Index k = 0; k < count * size; ++k) {
      const double m = model[static_cast<std::size_t>(k)];
      residual += (x[k] - m) * (x[k] - m);
      squared += m * m;
    }
    sums.residual_squared += residual;
    sums.model_squared += squared;
  }
  return sums;
}

}  // namespace tempera
