#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/commands/command_schema.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

/// One subcommand. `run` gets the arguments after the command's name, starts MPI itself once they are accepted, returns
/// the exit status and throws Error for everything that goes wrong. `schemas` says what arguments it takes: one schema,
/// but of resume one for each command whose runs can go on.
struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(std::span<const std::string> arguments, const Launch& launch);
  std::vector<CommandSchema> (*schemas)() = nullptr;
};

/// All subcommands in the order of the overview.
std::span<const Command> commands();

}  // namespace tempera::drivers
