#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/commands/command_schema.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

constexpr std::string_view kSampleSummary = "draw from a posterior by parallel tempering, with its evidence";

/// `tempera sample --target NAME …`: parallel tempering on all ranks; leaves a run folder with draws.nc.
int run_sample(std::span<const std::string> arguments, const Launch& launch);
/// What it can be told.
std::vector<CommandSchema> sample_schemas();

}  // namespace tempera::drivers
