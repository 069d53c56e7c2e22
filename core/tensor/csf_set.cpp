#include "core/tensor/csf_set.hpp"

#include <algorithm>
#include <numeric>

namespace tempera {

namespace {

std::vector<int> rooted_at(int root, std::vector<int> modes) {
  modes.erase(std::find(modes.begin(), modes.end(), root));
  modes.insert(modes.begin(), root);
  return modes;
}

}  // namespace

CsfSet::CsfSet(NonzeroList nonzeros, CsfPolicy policy) {
  build(nonzeros, policy);
}

CsfSet::CsfSet(NonzeroList nonzeros, std::size_t byte_budget) {
  // The trees of one tensor differ in their inner nodes only; the first one tells how large the others will be.
  build(nonzeros, CsfPolicy::one);
  const std::size_t one = bytes();
  const auto order = static_cast<std::size_t>(nonzeros.order());
  if (one * order <= byte_budget)
    build(nonzeros, CsfPolicy::all);
  else if (2 * one <= byte_budget && order > 2)
    build(nonzeros, CsfPolicy::two);
}

void CsfSet::build(NonzeroList& nonzeros, CsfPolicy policy) {
  policy_ = policy;
  const std::vector<int> modes = nonzeros.mode_order();  // the same for all trees: each is a mode moved to the root
  const auto order = modes.size();
  if (trees_.empty()) trees_.push_back(nonzeros.build(modes));
  tree_of_mode_.assign(order, 0);
  if (policy == CsfPolicy::one) return;
  const std::size_t first_extra = policy == CsfPolicy::two ? order - 1 : 1;
  for (std::size_t k = first_extra; k < order; ++k) {
    trees_.push_back(nonzeros.build(rooted_at(modes[k], modes)));
    tree_of_mode_[static_cast<std::size_t>(modes[k])] = trees_.size() - 1;
  }
}

std::size_t CsfSet::bytes() const {
  return std::accumulate(trees_.begin(), trees_.end(), std::size_t{0},
                         [](std::size_t sum, const CsfTensor& tree) { return sum + tree.bytes(); });
}

}  // namespace tempera
