#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/tensor/factor_matrix.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

/// Brings the rows of a distributed factor to rank 0 in consecutive blocks of at most `block_rows` rows, so that no
/// rank ever holds a whole factor; rows that nobody owns arrive as zeros. Collective.
///
/// @param rows    global rows of `factor` on this rank, increasing
/// @param size    rows of the whole factor
/// @param on_root called on rank 0 for each block, in order
void for_each_row_block(const Communicator& communicator, Index size, std::span<const Index> rows,
                        const FactorMatrix& factor, Index block_rows,
                        const std::function<void(Index first, const FactorMatrix& block)>& on_root);

struct TopEntry {
  Index row;
  double value;
};

/// The `count` entries of largest magnitude in each column of a distributed factor, largest first (ties: lower row).
/// On rank 0 one list a column; empty elsewhere. Collective.
std::vector<std::vector<TopEntry>> top_entries(const Communicator& communicator, std::span<const Index> rows,
                                               const FactorMatrix& factor, int count);

}  // namespace tempera
