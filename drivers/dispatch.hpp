#pragma once

#include <string>
#include <vector>

namespace tempera::drivers {

/// Runs the command line (without the program's name) and returns the exit status. Every exception ends here: its
/// message is printed once, by the process that the launcher numbers 0.
int dispatch(const std::vector<std::string>& arguments);

}  // namespace tempera::drivers
