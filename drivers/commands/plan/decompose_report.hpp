#pragma once

#include "drivers/commands/decompose_options.hpp"
#include "drivers/commands/plan/decompose_estimate.hpp"
#include "drivers/commands/plan/planner.hpp"

namespace tempera::drivers {

/// The plan of `tempera decompose` with these options, as text and JSON, with the warnings it deserves.
/// @param grid  fixed extents, or empty
Plan decompose_plan(const DecomposeOptions& options, const PlanOptions& plan_options, const std::string& machine_name,
                    const PlannedTensor& tensor, DecomposeEstimates& estimates, const std::vector<int>& grid);

}  // namespace tempera::drivers
