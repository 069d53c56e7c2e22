#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tempera::detail {

/// Parses a JSON document strictly: no comments, no NaN, no key twice in one object.
/// @param origin  file name for messages
/// @param form    hint that says what the document should look like; may be empty
/// @throws Error{input} "ORIGIN:LINE: …" for a syntax error, "ORIGIN: …" for a number that is too large and a repeated key
nlohmann::ordered_json parse_json(const std::string& text, const std::string& origin, const std::string& form);

}  // namespace tempera::detail
