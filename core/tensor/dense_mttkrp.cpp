#include <cblas.h>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/linalg/khatri_rao.hpp"
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

Index product(std::span<const Index> sizes) {
  Index result = 1;
  for (Index size : sizes) result *= size;
  return result;
}

std::vector<RowView> views(std::span<const FactorMatrix> factors) {
  std::vector<RowView> result;
  for (const auto& factor : factors)
    result.push_back({factor.data(), factor.rows(), factor.columns(), factor.stride()});
  return result;
}

enum class Operand { plain, transposed };

/// result (n × rank, row-major) = op(A) · KRP, where KRP has `inner` rows and A is column-major with `leading` doubles
/// between columns: n × inner (plain) or inner × n (transposed). KRP is formed in blocks of rows.
void times_khatri_rao(Operand op, const double* a, Index leading, Index n, Index inner,
                      std::span<const RowView> matrices, double* result, Index stride) {
  const Index rank = matrices.front().columns;
  const Index block = std::clamp<Index>(kBlockDoubles / rank, 1, inner);
  std::vector<double> krp(static_cast<std::size_t>(block * rank));
  const bool plain = op == Operand::plain;
  for (Index first = 0; first < inner; first += block) {
    const Index count = std::min(block, inner - first);
    khatri_rao_rows(matrices, first, count, krp.data(), rank);
    // Column-major: result' (rank × n) += krp' (rank × count) · op(A)' (count × n)
    cblas_dgemm(CblasColMajor, CblasNoTrans, plain ? CblasTrans : CblasNoTrans, blas_size(rank), blas_size(n),
                blas_size(count), 1.0, krp.data(), blas_size(rank), plain ? a + first * leading : a + first,
                blas_size(leading), first == 0 ? 0.0 : 1.0, result, blas_size(stride));
  }
}

/// out[r] += term[r] · weight[r], for one cell of a partial product.
inline void add_product(double* out, const double* term, const double* weight, Index rank) {
  for (Index r = 0; r < rank; ++r) out[r] += term[r] * weight[r];
}

/// An inner mode: contract the larger side by GEMM, then multiply and add over what is left. The partial product is
/// made in blocks, so that a high rank cannot make it larger than the tensor.
void inner_mode(const DenseTensor& tensor, std::span<const FactorMatrix> factors, int mode, FactorMatrix& result) {
  const auto m = static_cast<std::size_t>(mode);
  const std::span<const Index> shape = tensor.shape();
  const Index left = product(shape.first(m)), size = shape[m], right = product(shape.subspan(m + 1));
  const Index rank = result.columns();
  const auto left_views = views(factors.first(m)), right_views = views(factors.subspan(m + 1));
  const double* x = tensor.values().data();
  if (left <= right) {
    // partial[(l, i), r] = Σ_right X[(l, i), right] KRP[right, r] for a block of i, then the sum over l.
    std::vector<double> krp(static_cast<std::size_t>(left * rank));
    khatri_rao_rows(left_views, 0, left, krp.data(), rank);
    const Index block = std::clamp<Index>(kPartialDoubles / (left * rank), 1, size);
    std::vector<double> partial(static_cast<std::size_t>(left * block * rank));
    for (Index first = 0; first < size; first += block) {
      const Index count = std::min(block, size - first);
      times_khatri_rao(Operand::plain, x + left * first, left * size, left * count, right, right_views, partial.data(),
                       rank);
      for (Index i = 0; i < count; ++i)
        for (Index l = 0; l < left; ++l)
          add_product(result.row(first + i), partial.data() + (i * left + l) * rank, krp.data() + l * rank, rank);
    }
  } else {
    // partial[(i, q), r] = Σ_left X[left, (i, q)] KRP[left, r] for a block of q, then the sum over q.
    std::vector<double> krp(static_cast<std::size_t>(right * rank));
    khatri_rao_rows(right_views, 0, right, krp.data(), rank);
    const Index block = std::clamp<Index>(kPartialDoubles / (size * rank), 1, right);
    std::vector<double> partial(static_cast<std::size_t>(size * block * rank));
    for (Index first = 0; first < right; first += block) {
      const Index count = std::min(block, right - first);
      times_khatri_rao(Operand::transposed, x + left * size * first, left, size * count, left, left_views,
                       partial.data(), rank);
      for (Index q = 0; q < count; ++q)
        for (Index i = 0; i < size; ++i)
          add_product(result.row(i), partial.data() + (q * size + i) * rank, krp.data() + (first + q) * rank, rank);
    }
  }
}

}  // namespace

void mttkrp(const DenseTensor& tensor, std::span<const FactorMatrix> factors, int mode, FactorMatrix& result) {
  TEMPERA_EXPECTS(static_cast<int>(factors.size()) == tensor.order());
  TEMPERA_EXPECTS(mode >= 0 && mode < tensor.order());
  TEMPERA_EXPECTS(result.rows() == tensor.shape()[static_cast<std::size_t>(mode)]);
  result.set_zero();
  if (tensor.size() == 0 || result.columns() == 0) return;
  const Index size = result.rows(), others = tensor.size() / size;
  const double* x = tensor.values().data();
  if (mode == 0) {
    times_khatri_rao(Operand::plain, x, size, size, others, views(factors.subspan(1)), result.data(), result.stride());
  } else if (mode == tensor.order() - 1) {
    times_khatri_rao(Operand::transposed, x, others, size, others, views(factors.first(factors.size() - 1)),
                     result.data(), result.stride());
  } else {
    inner_mode(tensor, factors, mode, result);
  }
}

ResidualSums residual_sums(const DenseTensor& tensor, std::span<const FactorMatrix> factors,
                           std::span<const double> weights) {
  ResidualSums sums;
  if (tensor.size() == 0) return sums;
  const Index size = tensor.shape().front(), others = tensor.size() / size;
  const auto rank = static_cast<Index>(weights.size());
  const auto slow_views = views(factors.subspan(1));
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
