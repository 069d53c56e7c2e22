#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/commands/command_schema.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

constexpr std::string_view kDecomposeSummary = "factor a tensor";

/// `tempera decompose INPUT --method cp --rank 16 …`: reads a tensor on all ranks, factors it and leaves a run folder.
int run_decompose(std::span<const std::string> arguments, const Launch& launch);
/// What it can be told.
std::vector<CommandSchema> decompose_schemas();

}  // namespace tempera::drivers
