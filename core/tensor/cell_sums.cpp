#include "core/tensor/cell_sums.hpp"

#include <algorithm>

#include "core/base/contract.hpp"
#include "core/base/simd.hpp"
#include "core/tensor/detail/cell_sum_kernels.hpp"

namespace tempera {

namespace {

using detail::CellTerm;
using detail::CellView;

constexpr std::size_t kCachedBytes = std::size_t{1} << 18;  // factors up to this size are found in the second cache

detail::CellKernels kernels() {
#if defined(__x86_64__)
  switch (simd_level()) {
    case SimdLevel::avx512: return simd::avx512::cell_kernels();
    case SimdLevel::avx2: return simd::avx2::cell_kernels();
    case SimdLevel::baseline: break;
  }
#endif
  return simd::baseline::cell_kernels();
}

CellTerm term_of(CellFunction function) {
  switch (function) {
    case CellFunction::residual: return CellTerm::residual;
    case CellFunction::counts: return CellTerm::counts;
    case CellFunction::logarithm: return CellTerm::logarithm;
    case CellFunction::product: return CellTerm::product;
    case CellFunction::square: return CellTerm::square;
    case CellFunction::model: break;
  }
  return CellTerm::model;
}

CellView view_of(const CsfTensor& tree, std::span<const FactorMatrix> factors) {
  TEMPERA_EXPECTS(static_cast<int>(factors.size()) == tree.order());
  CellView view{};
  view.depth = tree.order();
  view.merged = tree.merged_levels();
  view.roots = static_cast<std::uint32_t>(tree.nodes(0));
  view.cells = static_cast<std::uint32_t>(tree.nonzeros());
  view.values = tree.values().data();
  view.stride = factors.front().stride();
  view.rank = factors.front().columns();
  for (int level = 0; level < view.depth; ++level) {
    view.ids[level] = tree.ids(level).data();
    if (level < view.merged) view.pointers[level] = tree.pointers(level).data();
    const FactorMatrix& factor = factors[static_cast<std::size_t>(tree.mode_order()[static_cast<std::size_t>(level)])];
    TEMPERA_EXPECTS(factor.columns() == view.rank);
    view.factors[level] = factor.data();
    if (level >= view.merged && level + 1 < view.depth)
      view.prefetch_all = view.prefetch_all || factor.storage().size_bytes() > kCachedBytes;
  }
  return view;
}

/// Σ over the roots of their factor row times the row of derivatives: the value of a function that is linear in m.
double linear_value(const CellView& view) {
  double sum = 0;
  for (std::uint32_t c = 0; c < view.roots; ++c) {
    const double* own = view.factors[0] + static_cast<std::int64_t>(view.ids[0][c]) * view.stride;
    const double* row = view.rows + static_cast<std::int64_t>(c) * view.rank;
    double part = 0;
    for (std::int64_t r = 0; r < view.rank; ++r) part += own[r] * row[r];
    sum += part;
  }
  return sum;
}

}  // namespace

double CellSums::value(const CsfTensor& tree, std::span<const FactorMatrix> factors, CellFunction function) {
  if (tree.nonzeros() == 0) return 0;
  if (function == CellFunction::product) {
    rows_.resize(std::max(rows_.size(), static_cast<std::size_t>(tree.nodes(0) * factors.front().columns())));
    return with_gradient(tree, factors, function, rows_);
  }
  CellView view = view_of(tree, factors);
  models_.resize(std::max(models_.size(), static_cast<std::size_t>(tree.nonzeros())));
  view.models = models_.data();
  const detail::CellKernels kernel = kernels();
  kernel.models(view);
  return kernel.value(term_of(function), view.values, view.models, tree.nonzeros());
}

double CellSums::with_gradient(const CsfTensor& tree, std::span<const FactorMatrix> factors, CellFunction function,
                               std::span<double> rows) {
  if (tree.nonzeros() == 0) return 0;
  CellView view = view_of(tree, factors);
  TEMPERA_EXPECTS(std::ssize(rows) >= static_cast<std::ptrdiff_t>(tree.nodes(0) * view.rank));
  view.rows = rows.data();
  const CellTerm term = term_of(function);
  const detail::CellKernels kernel = kernels();
  if (term == CellTerm::product) {
    kernel.gather(view, view.values);
    return linear_value(view);
  }
  models_.resize(std::max(models_.size(), static_cast<std::size_t>(tree.nonzeros())));
  view.models = models_.data();
  if (view.stride <= detail::kFusedColumns) {
    kernel.fused(view, term);
    return kernel.value(term, view.values, view.models, tree.nonzeros());
  }
  kernel.models(view);
  const double sum = kernel.value(term, view.values, view.models, tree.nonzeros());
  kernel.weights(term, view.values, view.models, tree.nonzeros());
  kernel.gather(view, view.models);
  return sum;
}

}  // namespace tempera
