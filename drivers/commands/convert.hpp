#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/commands/command_schema.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

constexpr std::string_view kConvertSummary = "convert a tensor to another format, or count letter sequences of texts";

/// `tempera convert IN OUT`, `tempera convert --ngrams N TEXT… OUT`: one process does all, without MPI.
int run_convert(std::span<const std::string> arguments, const Launch& launch);
/// What it can be told.
std::vector<CommandSchema> convert_schemas();

}  // namespace tempera::drivers
