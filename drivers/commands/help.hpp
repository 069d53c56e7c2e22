#pragma once

#include <span>
#include <string>
#include <string_view>

#include "drivers/launch.hpp"

namespace tempera::drivers {

inline constexpr std::string_view kHelpSummary = "show a page of the guide, or the options of a command";

/// `tempera help [TOPIC]`: without a topic the list of pages, else the page, or what `tempera TOPIC --help` prints.
/// @throws Error{usage} with the nearest name for what is neither
int run_help(std::span<const std::string> arguments, const Launch& launch);

}  // namespace tempera::drivers
