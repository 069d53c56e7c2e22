#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "drivers/master/links.hpp"
#include "drivers/master/validation.hpp"

namespace tempera::drivers {

/// An instance on its ranks.
struct PlannedRun {
  std::size_t instance = 0;
  int step = 1;
  int first = 0, count = 1;  ///< MPI ranks: neighbours
};

/// Who runs where and when, if all runs take equally long: what is ready begins, larger runs first and of equals the first in
/// the file, each on the lowest neighbouring worker ranks that are free; one on all ranks runs alone.
struct StudyPlan {
  int mpi_ranks = 1;
  std::vector<PlannedRun> runs;  ///< in the order of steps, then of ranks
  int steps() const { return runs.empty() ? 0 : runs.back().step; }
};

/// @param sizes  of the instances, from validate()
/// Cost: O(n log n) for n instances, beside those that wait at each step.
StudyPlan plan_study(const StudyGraph& graph, std::span<const RunSize> sizes, int mpi_ranks);

/// The plan for people. @param whole  all steps and runs, however many
std::string plan_text(const StudyGraph& graph, std::span<const RunSize> sizes, const StudyPlan& plan, bool whole);
/// The same for scripts.
nlohmann::ordered_json plan_json(const StudyGraph& graph, std::span<const RunSize> sizes, const StudyPlan& plan);

}  // namespace tempera::drivers
