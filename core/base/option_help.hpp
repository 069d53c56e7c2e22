#pragma once

#include <string>
#include <vector>

#include "core/base/option_schema.hpp"

namespace tempera {

/// The help text of a command: usage line, arguments, options by group with units, ranges, choices and defaults, and
/// the example. No line is wider than 100 columns.
std::string help_text(const OptionSchema& schema);

// Its parts, for other forms of the same words.

/// "--rank N", "FILES..."
std::string option_synopsis(const Option& option);
/// "number of components [at least 1; default 16]"
std::string option_description(const Option& option);
/// Headings of the groups of its options, in order.
std::vector<std::string> option_groups(const OptionSchema& schema);

}  // namespace tempera
