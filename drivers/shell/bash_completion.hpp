#pragma once

#include <span>
#include <string>

#include "drivers/shell/command_pages.hpp"

namespace tempera::drivers {

/// A script for share/bash-completion/completions/tempera: proposes commands, options that are not given yet, words that a
/// value may be, and files. It needs bash 4 and nothing else, not even bash-completion.
std::string bash_completion(std::span<const CommandPage> pages);

}  // namespace tempera::drivers
