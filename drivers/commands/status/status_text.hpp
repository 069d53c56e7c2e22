#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "drivers/commands/status/run_status.hpp"

namespace tempera::drivers {

/// The status in words, several lines, with the hint for the next action.
std::string status_text(const RunStatus& status);
/// The same on one line without anything that changes by itself as time goes by.
std::string status_line(const RunStatus& status);
/// Everything, with units in the keys.
nlohmann::ordered_json status_json(const RunStatus& status);

}  // namespace tempera::drivers
