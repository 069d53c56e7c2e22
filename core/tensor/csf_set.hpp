#pragma once

#include <cstddef>
#include <vector>

#include "core/tensor/csf_tensor.hpp"
#include "core/tensor/nonzero_list.hpp"

namespace tempera {

/// How many CSF trees hold the nonzeros: one (least memory), two (the second rooted at the longest mode) or one a mode
/// (fastest: every MTTKRP writes each row once).
enum class CsfPolicy { one, two, all };

/// The trees of one process and which of them serves each mode.
class CsfSet {
 public:
  CsfSet() = default;
  /// Builds the trees; `nonzeros` is consumed. The richest policy whose trees take at most `byte_budget` is chosen
  /// (at least one tree is always built).
  CsfSet(NonzeroList nonzeros, std::size_t byte_budget);
  CsfSet(NonzeroList nonzeros, CsfPolicy policy);

  CsfPolicy policy() const { return policy_; }
  const std::vector<CsfTensor>& trees() const { return trees_; }
  /// The tree in which the MTTKRP of this mode is cheapest: the mode is its root if there is such a tree.
  const CsfTensor& tree_for(int mode) const { return trees_[tree_of_mode_[static_cast<std::size_t>(mode)]]; }
  std::size_t bytes() const;

 private:
  void build(NonzeroList& nonzeros, CsfPolicy policy);

  CsfPolicy policy_ = CsfPolicy::all;
  std::vector<CsfTensor> trees_;
  std::vector<std::size_t> tree_of_mode_;
};

}  // namespace tempera
