#pragma once

#include <string>

#include "core/base/option_schema.hpp"

namespace tempera {

/// The help text of a command: usage line, arguments, options by group with units, ranges, choices and defaults, and
/// the example. No line is wider than 100 columns.
std::string help_text(const OptionSchema& schema);

}  // namespace tempera
