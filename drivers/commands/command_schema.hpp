#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/option_schema.hpp"

namespace tempera::drivers {

/// The options of a command at their defaults: what man pages and completion are made of, without running anything.
struct CommandSchema {
  std::shared_ptr<const OptionSchema> schema;  ///< keeps the variables that it is bound to
  std::string runs_of;                         ///< of resume and plan: the command whose runs these options are for, else ""
};

/// @param declare  what the command itself declares its options with
template <class Options>
CommandSchema command_schema(std::string_view command, std::string_view summary,
                             void (*declare)(OptionSchema&, Options&), std::string runs_of = "") {
  struct Both {
    Options options;
    OptionSchema schema;
    Both(std::string_view name, std::string_view text) : schema(std::string(name), std::string(text)) {}
  };
  auto both = std::make_shared<Both>(command, summary);
  declare(both->schema, both->options);
  const OptionSchema* schema = &both->schema;
  return {std::shared_ptr<const OptionSchema>(std::move(both), schema), std::move(runs_of)};
}

}  // namespace tempera::drivers
