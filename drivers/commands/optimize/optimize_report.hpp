#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/region_report.hpp"
#include "distributed/bayesopt/optimization.hpp"
#include "drivers/commands/optimize/optimize_options.hpp"
#include "drivers/commands/optimize/optimize_problem.hpp"

namespace tempera::drivers {

/// All that rank 0 needs to describe an optimisation; the references must outlive it.
struct OptimizeFacts {
  const OptimizeOptions& options;
  const OptimizeProblem& problem;
  const OptimizationResult& result;
  Index workers = 1;
  int mpi_ranks = 1;
  int idle_ranks = 0;
  std::int64_t memory_bytes_max = 0;  ///< growth of resident memory since MPI started, most on one rank
  std::vector<RegionSummary> regions = {};
};

/// Of ranks that are too few for a group.
std::string idle_ranks_text(int idle, int mpi_ranks, std::int64_t ranks_per_trial);
/// What a person should look at: a constant objective, no trial that meets its constraints.
std::vector<std::string> warnings_of(const OptimizeFacts& facts);
/// How trials failed, most frequent first: "3 timeout: took longer than 60 s".
std::vector<std::string> failures_of(const OptimizeFacts& facts);

/// summary.json
nlohmann::ordered_json optimize_summary(const OptimizeFacts& facts);
/// The same for people.
std::string optimize_text(const OptimizeFacts& facts, const std::string& run_folder);

}  // namespace tempera::drivers
