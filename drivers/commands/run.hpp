#pragma once

#include <span>
#include <string>
#include <string_view>

#include "drivers/launch.hpp"

namespace tempera::drivers {

constexpr std::string_view kRunSummary = "check a study, and show who would run where and when";

/// `tempera run STUDY.toml --dry-run [--ranks N]`: reads and checks the whole study and prints its plan, without MPI.
int run_study(std::span<const std::string> arguments, const Launch& launch);

}  // namespace tempera::drivers
