#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/commands/command_schema.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

constexpr std::string_view kDoctorSummary = "what this build and this machine have, and what to mend";

/// `tempera doctor`: one line a finding, OK, WARN or FAIL with the mend. Exit status 0, or 5 if anything is FAIL.
/// With --machine-file it measures as well what `tempera plan --machine` needs (drivers/machine).
int run_doctor(std::span<const std::string> arguments, const Launch& launch);
/// What it can be told.
std::vector<CommandSchema> doctor_schemas();

}  // namespace tempera::drivers
