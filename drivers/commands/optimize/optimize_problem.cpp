#include "drivers/commands/optimize/optimize_problem.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/random_stream.hpp"
#include "core/base/sha256.hpp"
#include "core/bayesopt/blind_proposers.hpp"
#include "core/bayesopt/cma_es_proposer.hpp"
#include "core/bayesopt/feasible.hpp"
#include "core/bayesopt/gp_proposer.hpp"
#include "distributed/bayesopt/command_evaluator.hpp"

namespace tempera::drivers {

ResultRules OptimizeProblem::rules() const {
  return file ? ResultRules{file->objectives.front().name, maximise(), file->reported_constraints} : ResultRules{};
}

std::vector<std::string> OptimizeProblem::constraints() const {
  return file ? file->reported_constraints : std::vector<std::string>();
}

void check_space(const SpaceFile& file, const OptimizeOptions& options, const std::string& where) {
  if (file.objectives.size() > 1)
    throw Error(Category::input, where,
                fmt::format("names {} objectives, one can be optimised", file.objectives.size()),
                "leave all but one [[objective]] out");
  RandomStream stream(static_cast<std::uint64_t>(options.common.seed), "feasible-somewhere");
  try {
    static_cast<void>(sample_feasible(file.space, stream));  // says which constraint is to blame
  } catch (const SpaceError& error) {
    const std::vector<std::string>& places = file.constraint_places;
    throw Error(error.category(), error.constraint() ? places.at(static_cast<std::size_t>(*error.constraint())) : where,
                error.what_is_wrong(), error.hint());
  }
  if (options.scheduler == "cma-es") static_cast<void>(FreeCoordinates(file.space));  // says what has no order
}

OptimizeProblem make_problem(const OptimizeOptions& options) {
  OptimizeProblem problem;
  if (!options.objective.empty()) {
    problem.built_in.emplace(options.objective, options.settings);
    return problem;
  }
  if (!options.of_command() && !options.by_hand() && !options.of_stage)
    throw Error(Category::usage, "--ask", "nothing runs the trials of this run",
                "give --ask K for points to try, or --tell FILE with what came of them");
  problem.file.emplace(read_space_file(options.space));
  problem.sha256 = sha256_of_file(options.space);
  check_space(*problem.file, options, options.space.string());
  if (options.of_command()) problem.command.emplace(options.command, problem.space(), options.directory);
  return problem;
}

std::unique_ptr<Evaluator> make_evaluator(const OptimizeProblem& problem, const OptimizeOptions& options,
                                          const std::filesystem::path& trials) {
  if (problem.file) {
    CommandTrialOptions trial;
    trial.timeout = options.timeout;
    trial.directory = options.directory;
    trial.rules = problem.rules();
    return std::make_unique<CommandEvaluator>(*problem.command, problem.space(), trials, options.workers, trial);
  }
  const auto seed = static_cast<std::uint64_t>(options.common.seed);
  return std::make_unique<FunctionEvaluator>([&problem, seed](const TrialRequest& request) {
    TrialResult result;
    result.value = problem.built_in->evaluate(request.point, seed, request.number);
    return result;
  });
}

std::unique_ptr<Proposer> make_proposer(const OptimizeProblem& problem, const OptimizeOptions& options,
                                        std::shared_ptr<ModelTeam> team) {
  const auto seed = static_cast<std::uint64_t>(options.common.seed);
  if (options.scheduler == "random") return std::make_unique<RandomProposer>(problem.space(), seed);
  if (options.scheduler == "sobol") return std::make_unique<SobolProposer>(problem.space(), seed);
  if (options.scheduler == "cma-es")
    return std::make_unique<CmaEsProposer>(problem.space(), CmaEsOptions{seed, options.population.value_or(0)});
  GpProposerOptions model;
  model.seed = seed;
  model.acquisition = AcquisitionRule::parse(options.acquisition);
  model.constraints = problem.constraints();
  model.sources = problem.sources;
  model.model.hyperparameters.method = options.hyperparameters == "map"   ? HyperMethod::map
                                       : options.hyperparameters == "mle" ? HyperMethod::mle
                                                                          : HyperMethod::bayes;
  model.team = std::move(team);
  return std::make_unique<GpProposer>(problem.space(), model);
}

}  // namespace tempera::drivers
