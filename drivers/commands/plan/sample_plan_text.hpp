#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "drivers/commands/plan/sample_plan.hpp"

namespace tempera::drivers {

/// For people; @param machine  its name
std::string sample_plan_text(const SamplePlan& plan, const SampleOptions& options, const std::string& machine);
nlohmann::ordered_json sample_plan_json(const SamplePlan& plan, const SampleOptions& options);
std::vector<std::string> sample_plan_warnings(const SamplePlan& plan, const SampleOptions& options,
                                              const Machine& machine);

}  // namespace tempera::drivers
