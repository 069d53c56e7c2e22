#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/commands/command_schema.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

constexpr std::string_view kPlanSummary =
    "memory, communication and time of a run on N MPI ranks, before it is submitted";

/// `tempera plan [ENGINE] … --ranks N`: takes the arguments of the engine's own command (decompose unless the first word names
/// another engine), starts no run and leaves no folder. One process does the work, also under mpirun.
int run_plan(std::span<const std::string> arguments, const Launch& launch);
std::vector<CommandSchema> plan_schemas();

}  // namespace tempera::drivers
