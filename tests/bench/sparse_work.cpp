#include "tests/bench/sparse_work.hpp"

namespace tempera::bench {

namespace {

constexpr double kDouble = 8;

double factor_bytes(const std::vector<Index>& shape, int mode, Index rank) {
  return static_cast<double>(shape[static_cast<std::size_t>(mode)] * rank) * kDouble;
}

/// Factor rows read at the levels of a tree, without those of one mode (−1: all).
void add_rows(const CsfTensor& tree, const std::vector<Index>& shape, Index rank, int without, Work& work) {
  for (int level = 0; level < tree.order(); ++level) {
    const int mode = tree.mode_order()[static_cast<std::size_t>(level)];
    if (mode == without) continue;
    work.traffic.push_back({static_cast<double>(tree.nodes(level) * rank) * kDouble, factor_bytes(shape, mode, rank)});
  }
}

}  // namespace

Work mttkrp_work(const CsfTensor& tree, const std::vector<Index>& shape, int mode, Index rank) {
  Work work;
  const auto tree_bytes = static_cast<double>(tree.bytes());
  for (int level = 1; level < tree.order(); ++level)
    work.flops += 2 * static_cast<double>(rank) * static_cast<double>(tree.nodes(level));
  work.traffic.push_back({tree_bytes + factor_bytes(shape, mode, rank), tree_bytes});
  add_rows(tree, shape, rank, mode, work);
  return work;
}

Work sweep_work(const CsfSet& trees, const std::vector<Index>& shape, Index rank) {
  Work all;
  for (int mode = 0; mode < static_cast<int>(shape.size()); ++mode) {
    const Work one = mttkrp_work(trees.tree_for(mode), shape, mode, rank);
    all.flops += one.flops;
    all.traffic.insert(all.traffic.end(), one.traffic.begin(), one.traffic.end());
  }
  return all;
}

Work pass_work(const CsfTensor& tree, const std::vector<Index>& shape, Index rank, double flops_a_leaf,
               double result_bytes) {
  Work work;
  const auto tree_bytes = static_cast<double>(tree.bytes());
  work.flops = flops_a_leaf * static_cast<double>(tree.nonzeros());
  for (int level = 1; level + 1 < tree.order(); ++level)
    work.flops += static_cast<double>(rank) * static_cast<double>(tree.nodes(level));
  work.traffic.push_back({tree_bytes, tree_bytes});
  if (result_bytes > 0) work.traffic.push_back({result_bytes, result_bytes});
  add_rows(tree, shape, rank, -1, work);
  return work;
}

}  // namespace tempera::bench
