#include "core/tensor/count_products.hpp"

#include <omp.h>

#include <algorithm>
#include <utility>

#include "core/base/contract.hpp"
#include "core/base/simd.hpp"
#include "core/tensor/detail/count_kernels.hpp"

namespace tempera {

namespace {

using detail::CountTotals;
using detail::CountView;

std::pair<detail::CountProductsKernel, detail::CountSumsKernel> kernels() {
#if defined(__x86_64__)
  switch (simd_level()) {
    case SimdLevel::avx512: return {simd::avx512::count_products, simd::avx512::count_sums};
    case SimdLevel::avx2: return {simd::avx2::count_products, simd::avx2::count_sums};
    case SimdLevel::baseline: break;
  }
#endif
  return {simd::baseline::count_products, simd::baseline::count_sums};
}

CountView view_of(const CsfTensor& tensor, std::span<const FactorMatrix> factors, int mode) {
  CountView view{};
  view.depth = tensor.order();
  view.values = tensor.values().data();
  view.target = mode < 0 ? -1 : tensor.level_of(mode);
  for (int level = 0; level < view.depth; ++level) {
    view.ids[level] = tensor.ids(level).data();
    if (level < tensor.merged_levels())
      view.pointers[level] = tensor.pointers(level).data();
    else if (level + 1 < view.depth)
      view.extents[level + 1] = 1;  // one child a node
    view.factors[level] =
        factors[static_cast<std::size_t>(tensor.mode_order()[static_cast<std::size_t>(level)])].data();
  }
  return view;
}

CountView view_of(const DenseTensor& tensor, std::span<const FactorMatrix> factors, int mode) {
  CountView view{};
  view.depth = tensor.order();
  view.values = tensor.values().data();
  view.target = mode < 0 ? -1 : tensor.order() - 1 - mode;
  for (int level = 0; level < view.depth; ++level) {
    const auto at = static_cast<std::size_t>(view.depth - 1 - level);
    view.extents[level] = tensor.shape()[at];
    view.factors[level] = factors[at].data();
  }
  return view;
}

std::int64_t roots_of(const CsfTensor& tensor) {
  return tensor.nonzeros() == 0 ? 0 : tensor.nodes(0);
}
std::int64_t roots_of(const DenseTensor& tensor) {
  return tensor.size() == 0 ? 0 : tensor.shape().back();
}

template <class Tensor>
void products(const Tensor& tensor, std::span<const FactorMatrix> factors, int mode, CountContent content,
              FactorMatrix& result, int threads) {
  TEMPERA_EXPECTS(static_cast<int>(factors.size()) == tensor.order() && mode >= 0 && mode < tensor.order());
  const Index rank = factors.front().columns();
  TEMPERA_EXPECTS(result.columns() == count_columns(rank, content));
  result.set_zero();
  const std::int64_t roots = roots_of(tensor);
  if (roots == 0 || rank == 0) return;
  CountView view = view_of(tensor, factors, mode);
  view.stride = factors.front().stride();
  view.rank = rank;
  view.result = result.data();
  view.result_stride = result.stride();
  view.curvature = count_columns(rank, content) > rank;
  view.of_model = content == CountContent::gradient || content == CountContent::with_hessian;
  const auto kernel = kernels().first;
  const auto run = [&](std::int64_t begin, std::int64_t end) {
    FactorMatrix scratch(detail::count_scratch_rows(view.depth, view.stride, view.curvature), rank);
    std::fill_n(scratch.row(0), rank, 1.0);
    CountView mine = view;
    mine.scratch = scratch.data();
    kernel(mine, begin, end);
  };
  if (view.target != 0 || threads <= 1) return run(0, roots);
  constexpr std::int64_t kChunksPerThread = 16;
  const std::int64_t chunks = std::min<std::int64_t>(roots, kChunksPerThread * threads);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (std::int64_t k = 0; k < chunks; ++k) run(roots * k / chunks, roots * (k + 1) / chunks);
}

template <class Tensor>
CountSums sums(const Tensor& tensor, std::span<const FactorMatrix> factors, std::span<const double> weights) {
  CountSums result;
  const std::int64_t roots = roots_of(tensor);
  if (roots == 0 || weights.empty()) return result;
  CountView view = view_of(tensor, factors, -1);
  FactorMatrix scratch(view.depth + 2, static_cast<Index>(weights.size()));
  std::copy(weights.begin(), weights.end(), scratch.row(0));
  view.stride = scratch.stride();
  view.rank = scratch.columns();
  view.scratch = scratch.data();
  const auto kernel = kernels().second;
  for (std::int64_t root = 0; root < roots; ++root) {
    CountTotals part{};  // one partial sum a root: shorter chains of additions lose fewer digits
    kernel(view, root, root + 1, &part);
    result.deviance += part.deviance;
    result.model += part.model;
    result.inner_product += part.inner_product;
  }
  return result;
}

}  // namespace

void count_products(const CsfTensor& tensor, std::span<const FactorMatrix> factors, int mode, CountContent content,
                    FactorMatrix& result, int threads) {
  products(tensor, factors, mode, content, result, threads);
}

void count_products(const DenseTensor& tensor, std::span<const FactorMatrix> factors, int mode, CountContent content,
                    FactorMatrix& result, int threads) {
  products(tensor, factors, mode, content, result, threads);
}

CountSums count_sums(const CsfTensor& tensor, std::span<const FactorMatrix> factors, std::span<const double> weights) {
  return sums(tensor, factors, weights);
}

CountSums count_sums(const DenseTensor& tensor, std::span<const FactorMatrix> factors,
                     std::span<const double> weights) {
  return sums(tensor, factors, weights);
}

}  // namespace tempera
