#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/commands/command_schema.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

constexpr std::string_view kOptimizeSummary = "find the best point of an expensive function or program";

/// `tempera optimize SPACE.toml --command "…"`: Bayesian optimisation, rank 0 proposes, the others try; leaves a run folder
/// with trials.jsonl and journal.jsonl.
int run_optimize(std::span<const std::string> arguments, const Launch& launch);
/// What it can be told.
std::vector<CommandSchema> optimize_schemas();

}  // namespace tempera::drivers
