#include "drivers/shell/command_pages.hpp"

#include <algorithm>

#include "drivers/commands/commands.hpp"

namespace tempera::drivers {

std::vector<CommandPage> command_pages() {
  std::vector<CommandPage> pages;
  for (const Command& command : commands())
    if (command.schemas != nullptr)
      pages.push_back({std::string(command.name), std::string(command.summary), command.schemas()});
  return pages;
}

std::vector<const Option*> options_of(const CommandPage& page) {
  std::vector<const Option*> options;
  for (const CommandSchema& schema : page.schemas)
    for (const Option& option : schema.schema->options()) {
      const bool known = std::any_of(options.begin(), options.end(),
                                     [&](const Option* other) { return other->name() == option.name(); });
      if (!option.is_positional() && !known) options.push_back(&option);
    }
  return options;
}

std::vector<const Option*> arguments_of(const CommandPage& page) {
  std::vector<const Option*> arguments;
  for (const Option& option : page.schemas.front().schema->options())
    if (option.is_positional()) arguments.push_back(&option);
  return arguments;
}

}  // namespace tempera::drivers
