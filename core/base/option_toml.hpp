#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "core/base/option_schema.hpp"

namespace tempera {

/// An option's value as a file has it, apart from the file: it can be kept, sent, and assigned later.
struct OptionEntry {
  std::string key;
  nlohmann::ordered_json value;  ///< of the kind that it is in TOML; null for a date or time
  std::string where;             ///< FILE:LINE
  bool written = false;          ///< a text as on a command line, whatever the option's kind
};

/// Assigns options by their names; one that the command line has set keeps its value, but the entry is checked all the
/// same. Numbers are numbers, flags true or false; lists are arrays or the text of the command line; durations and
/// everything else are that text.
/// @throws Error{usage} "FILE:LINE: …" for an unknown key (with the nearest known name), a value of the wrong type or
/// out of range
void apply_entries(OptionSchema& schema, std::span<const OptionEntry> entries);

/// The entries of a TOML file.
/// @throws Error{usage} as above, "FILE:LINE: …" for a syntax error; naming the file if it cannot be read
void apply_toml(OptionSchema& schema, const std::filesystem::path& file);

}  // namespace tempera
