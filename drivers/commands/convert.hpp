#pragma once

#include <span>
#include <string>

namespace tempera {

/// `tempera convert`, from the arguments after the command's name; prints what was written. One process does all.
/// @return the exit status @throws Error, for the caller to print
int run_convert(std::span<const std::string> arguments);

}  // namespace tempera
