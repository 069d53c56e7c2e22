#pragma once

#include <vector>

#include "core/base/region_report.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

/// Timed regions and traffic of all ranks of the communicator, summarised: on rank 0, empty elsewhere. Collective.
std::vector<RegionSummary> gather_regions(const Communicator& communicator);

}  // namespace tempera
