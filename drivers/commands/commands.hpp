#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tempera::drivers {

/// One subcommand. `run` gets the arguments after the command's name, starts MPI itself once they are accepted, returns
/// the exit status and throws Error for everything that goes wrong.
struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(std::span<const std::string> arguments);
};

/// All subcommands in the order of the overview.
std::span<const Command> commands();

}  // namespace tempera::drivers
