#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/base/option_schema.hpp"

namespace tempera {

/// The resolved options for the manifest: {"values": {"rank": 16, "timeout": "60s", …}, "set_by": {"rank": "command
/// line", "seed": "study.toml:3"}}. Values are JSON numbers, texts, booleans and arrays; durations are text with a
/// unit; an absent value is its word ("auto") or null. "set_by" names the options that do not have their default.
nlohmann::ordered_json options_to_json(const OptionSchema& schema);

}  // namespace tempera
