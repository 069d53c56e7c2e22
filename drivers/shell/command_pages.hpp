#pragma once

#include <string>
#include <vector>

#include "drivers/commands/command_schema.hpp"

namespace tempera::drivers {

/// A command as man pages and completion show it.
struct CommandPage {
  std::string name;
  std::string summary;
  std::vector<CommandSchema> schemas;  ///< never empty
};

/// Those of all commands that declare their options, in the order of the overview.
std::vector<CommandPage> command_pages();
/// Options of all its schemas, each name once; positional arguments are not among them.
std::vector<const Option*> options_of(const CommandPage& page);
/// Its arguments without a dash, in order.
std::vector<const Option*> arguments_of(const CommandPage& page);

}  // namespace tempera::drivers
