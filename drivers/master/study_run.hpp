#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <vector>

#include "drivers/common_options.hpp"
#include "drivers/launch.hpp"
#include "drivers/master/links.hpp"
#include "drivers/master/validation.hpp"
#include "drivers/run/run_frame.hpp"

namespace tempera::drivers {

/// What the run of a study is told; the references must outlive it.
struct StudyTask {
  const StudyGraph& graph;
  const std::vector<RunSize>& sizes;
  int planned_ranks = 1;  ///< that the sizes are for: what the launcher said before MPI started
  const CommonOptions& common;
  const OptionSchema& schema;
  std::chrono::steady_clock::time_point start;  ///< of the process; time limits count from here
  std::optional<ResumedRun> resume;             ///< nothing: a new run
};

/// Runs a study with MPI: rank 0 is its master. @return exit status: 0, or 130 after a request to stop
/// @throws Error of the first run that failed, after all that does not need it has ended
int conduct_study(const Launch& launch, const StudyTask& task);

}  // namespace tempera::drivers
