#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "distributed/communicator/communicator.hpp"
#include "distributed/communicator/stop_request.hpp"
#include "drivers/commands/optimize/optimizing.hpp"
#include "drivers/master/engine_options.hpp"
#include "drivers/master/stage_order.hpp"

namespace tempera::drivers {

/// What all runs of a study that runs have in common, on every rank; the references outlive it.
struct StudyContext {
  const StudyGraph& graph;
  std::filesystem::path folder;  ///< of the study's run
  const StopRequest& signals;
  std::chrono::steady_clock::time_point start;  ///< of the process; the time limit counts from here
  std::optional<std::string> time_limit;
  int ranks_on_node = 1;
  int mpi_ranks = 1;
  bool quiet = false;  ///< else a run that all ranks make shows its progress: the master is silent then

  std::filesystem::path stages() const { return folder / "stages"; }
  std::filesystem::path folder_of(std::size_t instance) const { return stages() / graph.instances[instance].folder; }
};

/// The summary of a run that ended well. @throws Error{input} if it is not there, or is no JSON object
nlohmann::ordered_json read_summary(const std::filesystem::path& run);

/// Runs an engine in a folder of its own: from the beginning, from its last checkpoint or journal if it was left there, not at
/// all if it has ended well. Collective, within collectively.
/// @param options  of decompose, sample or optimize, completed
/// @param trials   of an optimize stage whose trials are runs of a stage, else null
/// @return exit status: 0, or 130 after a request to stop @throws Error{numerical} if it has not ended within its own time limit
int run_engine(const StudyContext& context, EngineOptions& options, const std::filesystem::path& folder,
               const Communicator& group, const OtherTrials* trials = nullptr);

/// Runs an instance of the study as it was ordered; not that of a command. Collective, as above.
int run_stage(const StudyContext& context, const StageOrder& order, const Communicator& group);

}  // namespace tempera::drivers
