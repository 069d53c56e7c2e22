#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "distributed/bayesopt/ask_tell.hpp"
#include "drivers/commands/optimize/optimize_problem.hpp"

namespace tempera::drivers {

/// Takes the results of a file, a JSON object a line: `number`, and what a trial's command would print; `point` and `seed`, as
/// --ask prints them, may stay. None is taken if one is wrong.
/// @return how many @throws Error{input} with FILE:LINE
Index tell_results(RunRecord& run, const OptimizeProblem& problem, const std::filesystem::path& file);

/// What --ask prints of a trial.
std::string request_line(const OptimizeProblem& problem, const TrialRequest& request);

}  // namespace tempera::drivers
