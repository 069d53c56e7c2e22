#pragma once

#include "core/tensor/csf_set.hpp"
#include "tests/bench/bench.hpp"

namespace tempera::bench {

/// Work of the MTTKRP of one mode on one tree: 2·rank operations for each leaf and each inner node below the root; the
/// tree and the result are moved once, and each node reads a factor row, from where that level's factor lives.
/// Roots save nothing over other modes in this count, so the bound of a mode does not depend on where it stands in the
/// tree.
Work mttkrp_work(const CsfTensor& tree, const std::vector<Index>& shape, int mode, Index rank);

/// The same for all modes of a storage, one after the other.
Work sweep_work(const CsfSet& trees, const std::vector<Index>& shape, Index rank);

/// One pass over the cells of a tree with a factor row read at every node and `flops_a_leaf` operations for each of them.
Work pass_work(const CsfTensor& tree, const std::vector<Index>& shape, Index rank, double flops_a_leaf,
               double result_bytes);

}  // namespace tempera::bench
