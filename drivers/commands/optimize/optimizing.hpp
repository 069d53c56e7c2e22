#pragma once

#include <chrono>
#include <optional>

#include "core/base/option_schema.hpp"
#include "drivers/commands/optimize/optimize_options.hpp"
#include "drivers/launch.hpp"
#include "drivers/run/run_frame.hpp"

namespace tempera::drivers {

/// What an optimisation is told; the references must outlive it.
struct OptimizeTask {
  const OptimizeOptions& options;
  const OptionSchema& schema;
  std::chrono::steady_clock::time_point start;  ///< of the process; time limits count from here
  std::optional<ResumedRun> resume;             ///< nothing: a new run
};

/// Optimises with MPI and returns the exit status: 0, or 130 after a request to stop. @throws Error, {numerical} if all
/// trials failed, or more than may
int run_optimizing(const Launch& launch, const OptimizeTask& task);
/// The same on the ranks of a session that goes on afterwards. Collective.
int optimize(const Session& session, const OptimizeTask& task);

}  // namespace tempera::drivers
