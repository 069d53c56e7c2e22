#pragma once

#include <chrono>
#include <optional>

#include "core/base/option_schema.hpp"
#include "drivers/commands/decompose_options.hpp"
#include "drivers/launch.hpp"
#include "drivers/run/run_frame.hpp"

namespace tempera::drivers {

/// What a decomposition is told; the references must outlive it.
struct DecomposeTask {
  const DecomposeOptions& options;
  const OptionSchema& schema;
  std::chrono::steady_clock::time_point start;  ///< of the process; time limits count from here
  std::optional<ResumedRun> resume;             ///< nothing: a new run
};

/// Computes with MPI and returns the exit status: 0, or 130 after a request to stop. @throws Error
int run_decomposition(const Launch& launch, const DecomposeTask& task);
/// The same on the ranks of a session that goes on afterwards. Collective.
/// @param start_bytes  resident memory of this process before
int decompose(const Session& session, const DecomposeTask& task, int ranks_on_node, std::int64_t start_bytes);

}  // namespace tempera::drivers
