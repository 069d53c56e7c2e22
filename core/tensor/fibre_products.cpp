#include "core/tensor/fibre_products.hpp"

#include <algorithm>

#include "core/base/contract.hpp"
#include "core/tensor/detail/csf_products.hpp"
#include "core/tensor/mttkrp.hpp"

namespace tempera {

namespace {

/// Rows that a pass over the nonzeros reads for each node, from which on keeping a row a node pays: it is written once and
/// read twice, from memory.
constexpr Index kReadsANode = 64;

std::size_t product_bytes(const CsfTensor& tree, Index rank) {
  return static_cast<std::size_t>(tree.nodes(1) * padded_columns(rank)) * sizeof(double);
}

/// The tree whose first two modes share a pass: that with the fewest nodes among those where it pays.
const CsfTensor* shared_tree(const CsfSet& trees, Index rank) {
  const CsfTensor* best = nullptr;
  for (const CsfTensor& tree : trees.trees()) {
    if (tree.order() < 3 || tree.merged_levels() < 2 || tree.nonzeros() == 0) continue;
    if (tree.nonzeros() * (tree.order() - 1) < kReadsANode * tree.nodes(1)) continue;
    const int root = tree.mode_order()[0], inner = tree.mode_order()[1];
    const bool neighbours = (root + 1) % tree.order() == inner || (inner + 1) % tree.order() == root;
    if (!neighbours || &trees.tree_for(root) != &tree || product_bytes(tree, rank) > trees.bytes()) continue;
    if (best == nullptr || tree.nodes(1) < best->nodes(1)) best = &tree;
  }
  return best;
}

inline void add_product(double* out, const double* a, const double* b, Index length) {
  for (Index r = 0; r < length; ++r) out[r] += a[r] * b[r];
}

}  // namespace

FibreProducts::FibreProducts(const CsfSet& trees, Index rank)
    : trees_(trees), tree_(shared_tree(trees, rank)), rank_(rank) {}

std::optional<std::pair<int, int>> FibreProducts::shared_modes() const {
  if (tree_ == nullptr) return std::nullopt;
  return std::pair(tree_->mode_order()[0], tree_->mode_order()[1]);
}

std::int64_t FibreProducts::bytes(const CsfSet& trees, Index rank) {
  const CsfTensor* tree = shared_tree(trees, rank);
  return tree == nullptr ? 0 : static_cast<std::int64_t>(product_bytes(*tree, rank));
}

void FibreProducts::mttkrp(std::span<const FactorMatrix> factors, std::span<const std::uint64_t> versions, int mode,
                           FactorMatrix& result, int threads, const RowProgress* progress) {
  TEMPERA_EXPECTS(versions.size() == factors.size() && result.columns() == rank_);
  const auto shared = shared_modes();
  if (!shared || (mode != shared->first && mode != shared->second))
    return tempera::mttkrp(trees_, factors, mode, result, threads, progress);
  const auto root = static_cast<std::size_t>(shared->first), inner = static_cast<std::size_t>(shared->second);
  bool fresh = filled_;
  for (std::size_t other = 0; fresh && other < versions.size(); ++other)
    fresh = other == root || other == inner || versions[other] == versions_[other];
  if (!fresh) {
    if (products_.rows() == 0) products_ = FactorMatrix(tree_->nodes(1), rank_);
    detail::fibre_products(*tree_, factors, products_, threads);
    versions_.assign(versions.begin(), versions.end());
    filled_ = true;
    ++passes_;
  }
  result.set_zero();
  if (mode == shared->first)
    derive_root(factors[inner], result, threads);
  else
    derive_inner(factors[root], result);
}

void FibreProducts::derive_root(const FactorMatrix& inner, FactorMatrix& result, int threads) const {
  const auto roots = tree_->ids(0), nodes = tree_->ids(1), pointers = tree_->pointers(0);
#pragma omp parallel for num_threads(threads) if (threads > 1)
  for (std::size_t k = 0; k < roots.size(); ++k)
    for (std::uint32_t node = pointers[k]; node < pointers[k + 1]; ++node)
      add_product(result.row(roots[k]), products_.row(node), inner.row(nodes[node]), result.stride());
}

void FibreProducts::derive_inner(const FactorMatrix& root, FactorMatrix& result) const {
  const auto roots = tree_->ids(0), nodes = tree_->ids(1), pointers = tree_->pointers(0);
  for (std::size_t k = 0; k < roots.size(); ++k)
    for (std::uint32_t node = pointers[k]; node < pointers[k + 1]; ++node)
      add_product(result.row(nodes[node]), products_.row(node), root.row(roots[k]), result.stride());
}

}  // namespace tempera
