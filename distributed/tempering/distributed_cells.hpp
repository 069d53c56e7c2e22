#pragma once

#include "core/tensor/cell_blocks.hpp"
#include "core/tensor/sparse_tensor.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

/// Cuts cells that lie anywhere in a group into blocks and deals these to the ranks in order, those of few blocks to the first
/// ranks. The blocks are those of cell_blocks(), whatever the number of ranks.
///
/// For each mode the places of the cuts are found by bisection of the keys (an all_reduce of one count a block for every bit
/// of a key), and the cells go to the ranks of their blocks.
/// @param cells  of this rank, distinct over all ranks; consumed
/// Memory: 8 (order + 1) bytes a cell of this rank, and meanwhile 64 for each that it has or gets. Collective.
CellBlocks distribute_cells(const Communicator& group, SparseTensor cells, Index blocks);

/// The first block of a rank of so many; those of rank q end where those of rank q + 1 begin.
Index first_block_on(int rank, int ranks, Index blocks);

}  // namespace tempera
