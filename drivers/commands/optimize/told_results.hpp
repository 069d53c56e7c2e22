#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "distributed/bayesopt/ask_tell.hpp"
#include "drivers/commands/optimize/optimize_problem.hpp"

namespace tempera::drivers {

struct ToldTrial {
  Index number = 0;
  TrialResult result;
};

/// The results of a file, a JSON object a line: `number`, and what a trial's command would print; `point` and `seed`, as
/// --ask prints them, may stay.
/// @throws Error{input} with FILE:LINE, also for a trial that does not run
std::vector<ToldTrial> read_results(const Scheduler& scheduler, const OptimizeProblem& problem,
                                    const std::filesystem::path& file);
/// Has them in the run. @throws Error{environment}
void tell_results(RunRecord& run, const std::vector<ToldTrial>& results);

/// What --ask prints of a trial.
std::string request_line(const OptimizeProblem& problem, const TrialRequest& request);

}  // namespace tempera::drivers
