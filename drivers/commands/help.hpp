#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/commands/command_schema.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

inline constexpr std::string_view kHelpSummary = "show a page of the guide, or the options of a command";

/// `tempera help [TOPIC]`: without a topic the list of pages, else the page, or what `tempera TOPIC --help` prints.
/// @throws Error{usage} with the nearest name for what is neither
int run_help(std::span<const std::string> arguments, const Launch& launch);
/// What it can be told.
std::vector<CommandSchema> help_schemas();

}  // namespace tempera::drivers
