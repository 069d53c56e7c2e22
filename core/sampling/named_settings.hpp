#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/option_schema.hpp"

namespace tempera {

/// A `key=value` that a thing chosen by name understands.
struct NamedSetting {
  std::string name;
  std::string default_value;
  std::string range;  ///< "at least 1", "" if any value will do
  std::string help;
};

/// The settings of a schema, with their values at declaration as defaults.
std::vector<NamedSetting> describe_settings(const OptionSchema& schema);

/// Assigns "key=value"; the key alone turns a flag on.
/// @param kind   what the schema's command names, "target"
/// @param where  the option that brought the text, "--set"
/// @throws Error{Category::usage} for an unknown key, with the nearest known one, for a key given twice, and for a value of
///         the wrong kind or out of range
void apply_setting(OptionSchema& schema, std::string_view setting, std::string_view kind, std::string_view where);

/// Position of a name among those that there are.
/// @throws Error{Category::usage} if it is none of them, with the nearest
std::size_t find_named(std::string_view name, std::span<const std::string> names, std::string_view kind,
                       std::string_view where);

}  // namespace tempera
