#pragma once

#include <filesystem>

#include "core/base/option_schema.hpp"

namespace tempera {

/// Assigns options from a TOML file whose keys are the option names; an option that the command line has set keeps its
/// value, but the file is checked all the same. Numbers are TOML numbers, flags true or false; lists are arrays or the
/// text of the command line; durations and everything else are that text.
/// @throws Error{usage} "FILE:LINE: …" for a syntax error, an unknown key (with the nearest known name), a value of the
/// wrong type or out of range; Error{usage} naming the file if it cannot be read
void apply_toml(OptionSchema& schema, const std::filesystem::path& file);

}  // namespace tempera
