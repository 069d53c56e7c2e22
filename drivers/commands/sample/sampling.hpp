#pragma once

#include <chrono>
#include <optional>

#include "core/base/option_schema.hpp"
#include "drivers/commands/sample/sample_options.hpp"
#include "drivers/launch.hpp"
#include "drivers/run/run_frame.hpp"

namespace tempera::drivers {

/// What a sampling run is told; the references must outlive it.
struct SampleTask {
  const SampleOptions& options;
  const OptionSchema& schema;
  std::chrono::steady_clock::time_point start;  ///< of the process; time limits count from here
  std::optional<ResumedRun> resume;             ///< nothing: a new run
};

/// Samples with MPI and returns the exit status: 0, or 130 after a request to stop. @throws Error
int run_sampling(const Launch& launch, const SampleTask& task);
/// The same on the ranks of a session that goes on afterwards. Collective.
int sample(const Session& session, const SampleTask& task, int ranks_on_node);

}  // namespace tempera::drivers
