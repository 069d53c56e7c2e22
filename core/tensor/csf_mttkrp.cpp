#include "core/tensor/mttkrp.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/contract.hpp"
#include "core/base/simd.hpp"
#include "core/tensor/detail/csf_kernels.hpp"
#include "core/tensor/detail/csf_products.hpp"

namespace tempera {

namespace {

constexpr Index kPanelColumns = 32;
constexpr Index kPanelReuse = 64;  // nonzeros a factor row from which on copying rows for panels costs little
constexpr std::size_t kCachedBytes = std::size_t{1} << 18;  // factors up to this size are found in the second cache

struct Kernels {
  detail::CsfMttkrpKernel mttkrp;
  detail::CsfMttkrpKernel fibres;
  detail::CsfResidualKernel residual;
};

Kernels kernels() {
#if defined(__x86_64__)
  switch (simd_level()) {
    case SimdLevel::avx512:
      return {simd::avx512::csf_mttkrp, simd::avx512::csf_fibre_products, simd::avx512::csf_residual};
    case SimdLevel::avx2: return {simd::avx2::csf_mttkrp, simd::avx2::csf_fibre_products, simd::avx2::csf_residual};
    case SimdLevel::baseline: break;
  }
#endif
  return {simd::baseline::csf_mttkrp, simd::baseline::csf_fibre_products, simd::baseline::csf_residual};
}

detail::CsfView view_of(const CsfTensor& tensor, std::span<const FactorMatrix> factors, int target) {
  detail::CsfView view{};
  view.depth = tensor.order();
  view.values = tensor.values().data();
  view.merged = tensor.merged_levels();
  view.target = target;
  for (int level = 0; level < view.depth; ++level) {
    view.ids[level] = tensor.ids(level).data();
    if (level < view.merged) view.pointers[level] = tensor.pointers(level).data();
    const auto mode = static_cast<std::size_t>(tensor.mode_order()[static_cast<std::size_t>(level)]);
    view.factors[level] = factors[mode].data();
    if (level >= view.merged && level + 1 < view.depth)
      view.prefetch_all = view.prefetch_all || factors[mode].storage().size_bytes() > kCachedBytes;
  }
  return view;
}

/// Cuts the roots [begin, end) into ranges of nearly equal numbers of leaves. The cuts depend on the tree, the range and
/// the count only.
std::vector<std::uint32_t> balanced_roots(const CsfTensor& tensor, std::uint32_t begin, std::uint32_t end, int parts) {
  std::vector<std::uint32_t> cuts{begin};
  const auto first_leaf = [&](std::uint32_t root) {
    std::size_t node = root;
    for (int level = 0; level + 1 < tensor.order(); ++level) node = tensor.first_child(level, node);
    return static_cast<Index>(node);
  };
  const Index first = first_leaf(begin), leaves = first_leaf(end) - first;
  for (int part = 1; part < parts; ++part) {
    const Index goal = first + leaves / parts * part;
    std::uint32_t low = cuts.back(), high = end;
    while (low < high) {
      const std::uint32_t middle = low + (high - low) / 2;
      if (first_leaf(middle) < goal)
        low = middle + 1;
      else
        high = middle;
    }
    cuts.push_back(low);
  }
  cuts.push_back(end);
  return cuts;
}

/// What a traversal of the tree computes: the rows of the mode at one level, or the products of the fibres (see
/// detail/csf_products.hpp).
struct Product {
  int level;  ///< kFibres: the products
  static constexpr int kFibres = -1;
};

/// One kernel on one tree.
class Traversal {
 public:
  Traversal(const CsfTensor& tensor, std::span<const FactorMatrix> factors, Product product, FactorMatrix& result,
            int threads)
      : tensor_(tensor),
        view_(view_of(tensor, factors, product.level)),
        kernel_(product.level == Product::kFibres ? kernels().fibres : kernels().mttkrp),
        threads_(product.level > 0 ? 1 : threads) {
    view_.stride = result.stride();
    view_.result = result.data();
  }

  void run(std::uint32_t begin, std::uint32_t end) const {
    if (threads_ <= 1) return kernel_(view_, begin, end);
    constexpr int kChunksPerThread = 8;
    const auto cuts = balanced_roots(tensor_, begin, end, threads_ * kChunksPerThread);
    const std::size_t chunks = cuts.size() - 1;
#pragma omp parallel for schedule(dynamic) num_threads(threads_)
    for (std::size_t k = 0; k < chunks; ++k)
      if (cuts[k] < cuts[k + 1]) kernel_(view_, cuts[k], cuts[k + 1]);
  }

 private:
  const CsfTensor& tensor_;
  detail::CsfView view_;
  detail::CsfMttkrpKernel kernel_;
  int threads_;
};

/// All columns of the factors at once; the result is zero on entry.
void multiply(const CsfTensor& tensor, std::span<const FactorMatrix> factors, Product product, FactorMatrix& result,
              int threads, const RowProgress* progress) {
  const Traversal traversal(tensor, factors, product, result, threads);
  const auto roots = static_cast<std::uint32_t>(tensor.nodes(0));
  if (progress == nullptr || product.level != 0) return traversal.run(0, roots);
  constexpr int kLooks = 8;  // between pieces of the rows that come after
  const auto ids = tensor.ids(0);
  const auto middle =
      static_cast<std::uint32_t>(std::lower_bound(ids.begin(), ids.end(), progress->first) - ids.begin());
  if (middle < roots) traversal.run(middle, roots);
  if (middle == 0) return;
  progress->ready();
  const auto cuts = balanced_roots(tensor, 0, middle, kLooks);
  for (std::size_t k = 0; k + 1 < cuts.size(); ++k) {
    if (cuts[k] < cuts[k + 1]) traversal.run(cuts[k], cuts[k + 1]);
    progress->advance();
  }
}

bool pays_panels(const CsfTensor& tensor, std::span<const FactorMatrix> factors, const FactorMatrix& result) {
  if (result.columns() <= kPanelColumns) return false;
  Index rows = 0;
  for (const FactorMatrix& factor : factors) rows += factor.rows();
  return tensor.nonzeros() >= kPanelReuse * rows;
}

void copy_columns(const FactorMatrix& from, Index first_from, FactorMatrix& to, Index first_to, Index count,
                  Index first_row, Index end_row) {
  for (Index i = first_row; i < end_row; ++i) std::copy_n(from.row(i) + first_from, count, to.row(i) + first_to);
}

/// The same in panels of columns that lie together: more rows fit in the cache, and they spread over all of it. Each
/// column sees the same operations, so the bits are those of multiply(). Rows are final in the last panel.
void multiply_panels(const CsfTensor& tensor, std::span<const FactorMatrix> factors, Product product,
                     FactorMatrix& result, int threads, const RowProgress* progress) {
  for (Index first = 0; first < result.columns(); first += kPanelColumns) {
    const Index count = std::min(kPanelColumns, result.columns() - first);
    std::vector<FactorMatrix> panel(factors.size());
    for (int level = 0; level < tensor.order(); ++level) {
      const auto mode = static_cast<std::size_t>(tensor.mode_order()[static_cast<std::size_t>(level)]);
      if (level == product.level || (product.level == Product::kFibres && level < 2)) continue;
      panel[mode] = FactorMatrix(factors[mode].rows(), count);
      copy_columns(factors[mode], first, panel[mode], 0, count, 0, panel[mode].rows());
    }
    FactorMatrix part(result.rows(), count);
    Index left = result.rows();  // rows at the front that are not copied yet
    const auto copy_from = [&](Index row) {
      copy_columns(part, 0, result, first, count, row, left);
      left = row;
    };
    RowProgress last;
    if (progress != nullptr)
      last = {progress->first, [&] { copy_from(progress->first), progress->ready(); }, progress->advance};
    multiply(tensor, panel, product, part, threads,
             progress != nullptr && first + count == result.columns() ? &last : nullptr);
    copy_from(0);
  }
}

void compute(const CsfTensor& tensor, std::span<const FactorMatrix> factors, Product product, FactorMatrix& result,
             int threads, const RowProgress* progress) {
  result.set_zero();
  if (tensor.nonzeros() == 0 || result.columns() == 0) return;
  if (pays_panels(tensor, factors, result))
    multiply_panels(tensor, factors, product, result, threads, progress);
  else
    multiply(tensor, factors, product, result, threads, progress);
}

}  // namespace

void mttkrp(const CsfTensor& tensor, std::span<const FactorMatrix> factors, int mode, FactorMatrix& result, int threads,
            const RowProgress* progress) {
  TEMPERA_EXPECTS(static_cast<int>(factors.size()) == tensor.order());
  TEMPERA_EXPECTS(mode >= 0 && mode < tensor.order());
  TEMPERA_EXPECTS(std::all_of(factors.begin(), factors.end(),
                              [&](const FactorMatrix& f) { return f.columns() == result.columns(); }));
  compute(tensor, factors, {tensor.level_of(mode)}, result, threads, progress);
}

void detail::fibre_products(const CsfTensor& tensor, std::span<const FactorMatrix> factors, FactorMatrix& products,
                            int threads) {
  TEMPERA_EXPECTS(tensor.order() >= 3 && tensor.merged_levels() >= 2 && products.rows() == tensor.nodes(1));
  compute(tensor, factors, {Product::kFibres}, products, threads, nullptr);
}

void mttkrp(const CsfSet& tensor, std::span<const FactorMatrix> factors, int mode, FactorMatrix& result, int threads,
            const RowProgress* progress) {
  mttkrp(tensor.tree_for(mode), factors, mode, result, threads, progress);
}

ResidualSums residual_sums(const CsfTensor& tensor, std::span<const FactorMatrix> factors,
                           std::span<const double> weights) {
  ResidualSums sums;
  if (tensor.nonzeros() == 0 || weights.empty()) {
    for (double value : tensor.values()) sums.residual_squared += value * value;
    return sums;
  }
  detail::CsfView view = view_of(tensor, factors, 0);
  FactorMatrix products(tensor.order() + 1, static_cast<Index>(weights.size()));
  std::copy(weights.begin(), weights.end(), products.row(0));
  view.stride = products.stride();
  view.result = products.data();
  const auto kernel = kernels().residual;
  for (std::uint32_t root = 0; root < static_cast<std::uint32_t>(tensor.nodes(0)); ++root) {
    double part[2] = {0, 0};  // one partial sum a root: shorter chains of additions lose fewer digits
    kernel(view, root, root + 1, part);
    sums.residual_squared += part[0];
    sums.model_squared += part[1];
  }
  return sums;
}

}  // namespace tempera
