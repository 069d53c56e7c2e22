#pragma once

#include "distributed/tensor/distributed_tensor.hpp"

namespace tempera::drivers {

/// Most bytes that a CP fit of this rank keeps on this MPI rank: three times the rows it touches, padded (factors; the
/// product of the longest mode; the best of several starts), and the rank × rank matrices. The product of the longest
/// mode has `work_columns` more columns with methods that sum second derivatives.
double cp_bytes(const DistributedTensor& tensor, Index rank, double work_columns = 0);

/// Refuses a rank that cannot fit, before anything is allocated: compares cp_bytes with this node's available memory
/// divided by the ranks on it. Local.
/// @throws Error{environment} naming both figures
void check_cp_memory(const DistributedTensor& tensor, Index rank, int ranks_on_node, double work_columns = 0);

}  // namespace tempera::drivers
