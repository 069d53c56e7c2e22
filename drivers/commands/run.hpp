#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/commands/command_schema.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

constexpr std::string_view kRunSummary = "run a study: stages that need each other, over groups of MPI ranks";

/// `tempera run STUDY.toml`; with `--dry-run [--ranks N]` it reads and checks the whole study and prints its plan, without MPI.
int run_study(std::span<const std::string> arguments, const Launch& launch);
/// `tempera resume RUN` of a study's run.
int resume_study(std::span<const std::string> arguments, const Launch& launch);
/// What both can be told.
std::vector<CommandSchema> study_schemas();
CommandSchema resume_study_schema();

}  // namespace tempera::drivers
