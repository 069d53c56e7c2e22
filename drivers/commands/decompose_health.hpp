#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "drivers/commands/decompose_report.hpp"

namespace tempera::drivers {

/// The object `health` of summary.json; `tempera help health` explains every figure.
nlohmann::ordered_json health_json(const DecomposeOptions& options, const CpResult& result,
                                   const DecomposeFacts& facts);

/// What to do about what is wrong, one sentence each; nothing about a sound model.
std::vector<std::string> health_advice(const DecomposeOptions& options, const CpResult& result,
                                       const DecomposeFacts& facts);

}  // namespace tempera::drivers
