#pragma once

#include <span>
#include <string>
#include <string_view>

#include "drivers/launch.hpp"

namespace tempera::drivers {

inline constexpr std::string_view kStatusSummary = "say how a run stands, from its folder alone";

/// `tempera status RUN [--follow] [--json]`: reads the folder, never starts MPI. Exit status 0 whatever the run's is.
/// @throws Error{input} if RUN is not the folder of a run
int run_status(std::span<const std::string> arguments, const Launch& launch);

}  // namespace tempera::drivers
