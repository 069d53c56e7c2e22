#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "distributed/tensor/exchange_model.hpp"

namespace tempera {

/// Factor rows that all ranks together send in one sweep under some way to part the nonzeros, and how even the parts are.
struct PartitionCost {
  Index rows_sent = 0;
  double balance = 1;  ///< most nonzeros on a rank over the mean
};

/// Nonzeros one by one (fine-grained): each in turn goes to the rank with room that touches most of its rows already, as far
/// as the last few ranks of each row tell, else to the one with the fewest nonzeros. A rank has room for kGoodBalance times
/// the mean. A streaming greedy rule in the order of the nonzeros, not a hypergraph partitioner: what it reaches, a fine
/// partition can reach. Owners of rows and the exchange are those of sparse_row_exchange.
/// Memory: 32 bytes a row. Kaya & Uçar 2015 (fine grain).
PartitionCost fine_partition_cost(const NonzeroRows& rows, int ranks);

/// Rows of each mode by themselves (coarse-grained): each mode is cut into runs of rows with about as many nonzeros; a rank
/// holds all nonzeros of its rows once for each mode, so that no product is reduced, and a new row goes to every rank that
/// meets it in another mode. Smith & Karypis 2016, section III; Kaya & Uçar 2015 (coarse grain).
/// @param blocks  those of `rows`
PartitionCost coarse_partition_cost(const NonzeroRows& rows, std::span<const Index> shape,
                                    std::span<const SparseTensor> blocks, int ranks);

}  // namespace tempera
