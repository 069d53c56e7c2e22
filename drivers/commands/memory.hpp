#pragma once

#include "distributed/als/cp_memory.hpp"

namespace tempera::drivers {

/// Refuses a fit that does not fit, before anything is allocated: compares what cp_memory foresees with this node's
/// available memory divided by the ranks on it. Local.
/// @throws Error{environment} naming both figures and the option that helps most
void check_cp_memory(const DistributedTensor& tensor, const CpOptions& options, bool counts, int ranks_on_node);

}  // namespace tempera::drivers
