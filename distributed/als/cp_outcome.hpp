#pragma once

#include <functional>

#include "distributed/als/cp_als.hpp"

namespace tempera {

/// The frame of a CP method: checks the norm, calls `run` on the active ranks, puts what it leaves into
/// normal form (see KruskalTensor) and tells the ranks that hold no data. A zero tensor gets the zero model.
/// `run` leaves the columns as the constraints allow, and their weights; what it says of components is put into the same order as these.
/// Collective over all ranks of the tensor's communicator.
CpResult cp_outcome(const DistributedTensor& tensor, const CpOptions& options,
                    const std::function<void(CpResult&)>& run);

}  // namespace tempera
