#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "distributed/tasks/rank_span.hpp"
#include "drivers/commands/status/run_status.hpp"

namespace tempera::drivers {

/// A trial of an optimize run that had no result yet when its journal ended.
struct TrialStatus {
  std::int64_t number = 0;
  std::optional<double> age;      ///< seconds since it began
  std::filesystem::path folder;   ///< its own; empty if it has none
  std::optional<RankSpan> ranks;  ///< of the job, if it is known
  std::optional<RunStatus> own;   ///< where the trial is a run of an engine
};

/// Reads the journal of an optimize run, and the folders of the trials that are on their way.
/// @param run    read before
/// @param ranks  of the job that the run has
/// @param now    seconds since 1970, UTC
std::vector<TrialStatus> trials_on_their_way(const RunStatus& run, std::optional<RankSpan> ranks, double now);

/// The point of the best trial: the one whose value is the best_value of the last step. Null if it is not found.
nlohmann::ordered_json best_point_so_far(const RunStatus& run);

}  // namespace tempera::drivers
