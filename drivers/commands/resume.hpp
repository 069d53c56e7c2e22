#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/commands/command_schema.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

constexpr std::string_view kResumeSummary = "go on from the last good checkpoint, on any number of ranks";

/// `tempera resume RUN [options]`: reads the run's manifest and goes on with its command. Of the options those may be
/// given that change no result; a larger limit extends a run that has ended.
int run_resume(std::span<const std::string> arguments, const Launch& launch);
/// What it can be told.
std::vector<CommandSchema> resume_schemas();

}  // namespace tempera::drivers
