#include "drivers/commands/optimize/warm_start_runs.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/base/error.hpp"
#include "distributed/bayesopt/event.hpp"
#include "distributed/bayesopt/source_run.hpp"
#include "distributed/communicator/objects.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

void check_same_task(const OptimizeProblem& problem, const SourceRun& run, const std::string& name) {
  const std::string mine = direction_of(problem), its = run.configuration.value("direction", mine);
  const std::string hint = "--warm-start-task other learns from it without that";
  if (mine != its)
    throw Error(Category::input, name, fmt::format("is not of the same task: its direction is {}, not {}", its, mine),
                hint);
  for (const Trial& trial : run.trials)
    for (const std::string& constraint : problem.constraints())
      if (trial.result.status == TrialStatus::ok && !trial.result.constraints.contains(constraint))
        throw Error(Category::input, name,
                    fmt::format("is not of the same task: its trials do not report the constraint '{}'", constraint),
                    hint);
}

}  // namespace

std::vector<SourceTrials> find_sources(const Communicator& world, const OptimizeProblem& problem,
                                       const OptimizeOptions& options, const std::filesystem::path& journal) {
  std::string text;
  if (world.is_root()) {
    const bool same_task = options.warm_start_task == "same";
    const std::vector<std::string> names = options.sources();
    std::vector<SourceTrials> sources;
    if (!names.empty() && !journal.empty()) sources = recorded_sources(journal);
    for (std::size_t k = sources.size(); k < names.size(); ++k) {
      const SourceRun run = read_source_run(names[k]);
      if (same_task) check_same_task(problem, run, names[k]);
      sources.push_back(adopt_trials(problem.space(), run.space, run.trials, names[k], same_task));
    }
    Json all = Json::array();
    for (SourceTrials& source : sources) all.push_back(to_json(WarmStartEvent{std::move(source)}));
    text = all.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  world.broadcast_object(text, 0);
  std::vector<SourceTrials> sources;
  for (const Json& event : Json::parse(text))
    sources.push_back(std::get<WarmStartEvent>(event_from_json(event)).source);
  return sources;
}

}  // namespace tempera::drivers
