#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bayesopt/model_team.hpp"
#include "core/bayesopt/objectives.hpp"
#include "core/bayesopt/proposer.hpp"
#include "core/bayesopt/space_file.hpp"
#include "core/bayesopt/warm_start.hpp"
#include "distributed/bayesopt/command_trial_arguments.hpp"
#include "distributed/bayesopt/command_trial_result.hpp"
#include "distributed/bayesopt/evaluator.hpp"
#include "drivers/commands/optimize/optimize_options.hpp"

namespace tempera::drivers {

/// What is optimised. The same on all ranks.
struct OptimizeProblem {
  std::optional<TestObjective> built_in;
  std::optional<SpaceFile> file;
  std::string sha256;  ///< of the file
  std::optional<TrialCommand> command;
  std::vector<SourceTrials> sources;  ///< of --warm-start

  const Space& space() const { return built_in ? built_in->space() : file->space; }
  std::vector<std::string> constraints() const;
  ResultRules rules() const;
  bool maximise() const { return file && file->objectives.front().maximise; }
  /// The value as people know it.
  double natural(double minimised) const { return maximise() ? -minimised : minimised; }
};

/// "minimize" or "maximize".
inline std::string direction_of(const OptimizeProblem& problem) {
  return problem.maximise() ? "maximize" : "minimize";
}

/// @param where  it was read from, for what concerns it as a whole
/// @throws Error{input} for a space in which no point is allowed, of several objectives, or that the scheduler cannot search
void check_space(const SpaceFile& file, const OptimizeOptions& options, const std::string& where);

/// Looks up the objective, or reads the space and looks for the command. @throws Error
OptimizeProblem make_problem(const OptimizeOptions& options);

/// @param problem  outlives it, as the options do
/// @param trials   folder of the trials' folders
std::unique_ptr<Evaluator> make_evaluator(const OptimizeProblem& problem, const OptimizeOptions& options,
                                          const std::filesystem::path& trials);

/// @param problem  outlives it
/// @param team  those who compute proposals; null: this process
std::unique_ptr<Proposer> make_proposer(const OptimizeProblem& problem, const OptimizeOptions& options,
                                        std::shared_ptr<ModelTeam> team = nullptr);

}  // namespace tempera::drivers
