#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/option_schema.hpp"
#include "distributed/bayesopt/rank_layout.hpp"
#include "distributed/bayesopt/scheduler.hpp"
#include "drivers/common_options.hpp"

namespace tempera::drivers {

/// What `tempera optimize` can be told; see declare for the meaning of each.
struct OptimizeOptions {
  std::filesystem::path space;
  std::string command;
  std::string objective;
  std::vector<std::string> settings;
  std::int64_t budget = 100;
  std::string scheduler = "async";
  std::int64_t batch = 1;
  std::optional<std::int64_t> population;
  std::string surrogate = "gp";
  std::string acquisition = "log-ei";
  std::string hyperparameters = "bayes";
  std::vector<std::string> warm_start;  ///< folders; those of one argument parted by commas
  std::string warm_start_task = "other";
  double timeout = 60;
  std::optional<std::int64_t> max_failures;
  std::int64_t retries = 0;
  std::int64_t workers = 1;
  std::int64_t ranks_per_trial = 1;
  std::int64_t model_ranks = 0;
  std::optional<std::int64_t> ask;
  bool ask_again = false;
  std::filesystem::path tell;
  bool of_stage = false;            ///< no option: trials are runs of a stage of a study
  std::filesystem::path directory;  ///< no option: where commands start; empty: in the working directory
  CommonOptions common;

  /// A model of the values chooses the points.
  bool has_model() const { return scheduler == "async" || scheduler == "batch"; }
  /// Trials are run by somebody else.
  bool by_hand() const { return ask || ask_again || !tell.empty(); }
  bool of_command() const { return !command.empty(); }
  /// The runs to learn from, one each.
  std::vector<std::string> sources() const;
};

void declare(OptionSchema& schema, OptimizeOptions& options);
/// The same for a run that goes on: without what only a new run has.
void declare_for_resume(OptionSchema& schema, OptimizeOptions& options);

/// Checks what needs no data and fills in what depends on other options.
/// @throws Error{usage}
void complete(const OptionSchema& schema, OptimizeOptions& options);

/// @throws Error{usage} for a common option that means nothing here: an optimisation has a journal in place of checkpoints, and
/// a single timed region.
/// @param resumed  what the command line says counts, not what the manifest does
void refuse_unused(const OptionSchema& schema, bool resumed);

SchedulerOptions scheduler_options(const OptimizeOptions& options);
RankLayoutOptions rank_options(const OptimizeOptions& options);

}  // namespace tempera::drivers
