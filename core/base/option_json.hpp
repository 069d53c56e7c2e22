#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/base/option_schema.hpp"

namespace tempera {

/// The resolved options for the manifest: {"values": {"rank": 16, "timeout": "60s", …}, "set_by": {"rank": "command
/// line", "seed": "study.toml:3"}}. Values are JSON numbers, texts, booleans and arrays; durations are text with a
/// unit; an absent value is its word ("auto") or null. "set_by" names the options that do not have their default.
nlohmann::ordered_json options_to_json(const OptionSchema& schema);

/// The way back: assigns the options that "values" of such an object names; names that the schema does not have are left
/// alone.
/// @param origin  what set_by() says of them afterwards, also for messages
/// @throws Error{usage} "ORIGIN: rank: …" for a value that the option does not take
void apply_json(OptionSchema& schema, const nlohmann::ordered_json& values, const std::string& origin);

}  // namespace tempera
