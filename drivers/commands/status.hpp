#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/commands/command_schema.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

inline constexpr std::string_view kStatusSummary = "say how a run stands, from its folder alone";

/// `tempera status RUN [--follow] [--json]`: reads the folder, never starts MPI. Exit status 0 whatever the run's is.
/// @throws Error{input} if RUN is not the folder of a run
int run_status(std::span<const std::string> arguments, const Launch& launch);
/// What it can be told.
std::vector<CommandSchema> status_schemas();

}  // namespace tempera::drivers
