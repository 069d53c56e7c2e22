#pragma once

#include <span>
#include <string>

#include "drivers/shell/command_pages.hpp"

namespace tempera::drivers {

/// A function for share/zsh/site-functions/_tempera: the same proposals as in bash, with their explanations.
std::string zsh_completion(std::span<const CommandPage> pages);

}  // namespace tempera::drivers
