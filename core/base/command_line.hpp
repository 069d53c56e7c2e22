#pragma once

#include <span>
#include <string>

#include "core/base/option_schema.hpp"

namespace tempera {

enum class CommandLineOutcome { run, help };

/// Assigns the options of a command from its arguments (those after the command's name): `--rank 16` or `--rank=16`,
/// flags alone, positionals in order, `--` before values that begin with a dash. A file named by the schema's
/// config_file option is read after that; the command line has precedence. Returns `help`, with nothing assigned, if
/// --help or -h is among the arguments.
/// @throws Error{usage} for an unknown option (with the nearest known name), a value that is missing, malformed or out
/// of range, an option given twice, an argument too many, and a required one that is absent
CommandLineOutcome parse_command_line(OptionSchema& schema, std::span<const std::string> arguments);

}  // namespace tempera
