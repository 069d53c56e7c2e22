#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "distributed/tasks/task.hpp"
#include "drivers/master/engine_options.hpp"
#include "drivers/master/links.hpp"
#include "drivers/master/stage_memory.hpp"

namespace tempera::drivers {

/// The size of an instance's run.
struct RunSize {
  int ranks = kAllRanks;    ///< worker ranks, or all
  StageMemory memory;       ///< on its fullest rank; of an optimize stage with an objective.stage: of a trial
  std::int64_t trials = 0;  ///< of an optimize stage: at most
  int trial_groups = 0;     ///< that try at the same time
  int ranks_per_trial = 0;
};

/// Worker ranks that a stage takes in a job of `mpi_ranks`, or kAllRanks.
/// @throws Error{usage} with FILE:LINE for more than there are
int ranks_of(const RanksWanted& wanted, int mpi_ranks);
/// MPI ranks of the run itself.
inline int processes_of(int ranks, int mpi_ranks) {
  return ranks == kAllRanks ? mpi_ranks : ranks;
}

/// Checks all that can be checked before anything runs: each option of each instance as its engine's command would, inputs,
/// spaces, commands, the points of trials, metrics, ranks. Values that are references are checked for their kind.
/// @return the size of each instance
/// @throws Error{usage} or {input} with FILE:LINE, the first that is found in the order of the file
std::vector<RunSize> validate(const StudyGraph& graph, int mpi_ranks);

/// The options of a run, assigned from what resolve() or resolve_trial() returned, completed, and with the ranks checked.
/// @param space  file with the space of an optimize stage that has one (Stage::space_text)
/// @throws Error{usage} with FILE:LINE
std::unique_ptr<EngineOptions> engine_options(const Stage& stage, std::span<const OptionEntry> entries, int processes,
                                              const std::filesystem::path& space = {});

}  // namespace tempera::drivers
