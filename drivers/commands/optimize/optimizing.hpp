#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/base/option_schema.hpp"
#include "distributed/bayesopt/evaluator.hpp"
#include "drivers/commands/optimize/optimize_options.hpp"
#include "drivers/launch.hpp"
#include "drivers/run/run_frame.hpp"

namespace tempera::drivers {

/// Trials that are neither of a command nor of a built-in objective.
struct OtherTrials {
  nlohmann::ordered_json description;  ///< what makes them what they are: a journal of others is refused
  /// @param folder  of the trials' folders
  std::function<std::unique_ptr<Evaluator>(const std::filesystem::path& folder)> make_evaluator;
};

/// What an optimisation is told; the references must outlive it.
struct OptimizeTask {
  const OptimizeOptions& options;
  const OptionSchema& schema;
  std::chrono::steady_clock::time_point start;  ///< of the process; time limits count from here
  std::optional<ResumedRun> resume;             ///< nothing: a new run
  const OtherTrials* trials = nullptr;          ///< null: what the options say
};

/// Optimises with MPI and returns the exit status: 0, or 130 after a request to stop. @throws Error, {numerical} if all
/// trials failed, or more than may
int run_optimizing(const Launch& launch, const OptimizeTask& task);
/// The same on the ranks of a session that goes on afterwards. Collective.
int optimize(const Session& session, const OptimizeTask& task);

}  // namespace tempera::drivers
