#include "drivers/commands/optimize/optimize_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/text.hpp"
#include "drivers/commands/optimize/sources_report.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kShownSteps = 8, kShownFailures = 5;
constexpr Index kLeastToBeConstant = 3;

const std::vector<Trial>& finished(const OptimizeFacts& facts) {
  return facts.result.scheduler.finished();
}

const Trial* best(const OptimizeFacts& facts) {
  const Index index = facts.result.scheduler.best();
  return index < 0 ? nullptr : &finished(facts)[static_cast<std::size_t>(index)];
}

Index succeeded(const OptimizeFacts& facts) {
  return std::ssize(finished(facts)) - facts.result.scheduler.failures();
}

bool is_constant(const OptimizeFacts& facts) {
  const Trial* first = best(facts);
  return first != nullptr && succeeded(facts) >= kLeastToBeConstant &&
         std::all_of(finished(facts).begin(), finished(facts).end(), [&](const Trial& trial) {
           return trial.result.status != TrialStatus::ok || trial.result.value == first->result.value;
         });
}

std::string value_text(double value) {
  return fmt::format("{:.8g}", value);
}

std::string natural_text(const Json& value) {
  return value.is_number_float() ? value_text(value.get<double>())
         : value.is_string()     ? value.get<std::string>()
                                 : value.dump();
}

std::string best_text(const OptimizeFacts& facts) {
  const Trial* trial = best(facts);
  if (trial == nullptr) return "best value    none\n";
  std::string text = fmt::format("best value    {}  (trial {})\n",
                                 value_text(facts.problem.natural(trial->result.value)), trial->number);
  std::vector<std::vector<std::string>> table;
  const Json point = facts.problem.space().to_json(trial->point);
  for (const auto& [key, value] : point.items()) {
    std::string unit;
    for (const Parameter& parameter : facts.problem.space().parameters())
      if (parameter.name == key) unit = parameter.unit;
    table.push_back({"  " + key, natural_text(value) + (unit.empty() ? "" : " " + unit)});
  }
  return text + text_table(table, TableColumns::left);
}

/// The last steps down to the best value.
std::string steps_text(const OptimizeFacts& facts) {
  std::vector<std::string> steps;
  double least = INFINITY;
  for (const Trial& trial : finished(facts)) {
    if (trial.result.status != TrialStatus::ok || !(trial.result.value < least)) continue;
    if (!std::all_of(trial.result.constraints.begin(), trial.result.constraints.end(),
                     [](const auto& constraint) { return constraint.second <= 0; }))
      continue;
    least = trial.result.value;
    steps.push_back(fmt::format("{:.4g} (trial {})", facts.problem.natural(least), trial.number));
  }
  if (steps.size() < 2) return {};
  const bool cut = steps.size() > kShownSteps;
  if (cut) steps.erase(steps.begin() + 1, steps.end() - static_cast<std::ptrdiff_t>(kShownSteps) + 1);
  if (cut) steps[0] += ", …";
  std::string text;
  for (const std::string& line : wrap_words(fmt::format("{}", fmt::join(steps, ", ")), 86))
    text += (text.empty() ? "improved      " : "              ") + line + "\n";
  return text;
}

std::string failures_text(const OptimizeFacts& facts) {
  const std::vector<std::string> reasons = failures_of(facts);
  std::string text;
  for (std::size_t k = 0; k < std::min(reasons.size(), kShownFailures); ++k)
    text += (k == 0 ? "failed        " : "              ") + reasons[k] + "\n";
  if (reasons.size() > kShownFailures)
    text += fmt::format("              … and {} more kinds\n", reasons.size() - kShownFailures);
  return text;
}

}  // namespace

std::vector<std::string> failures_of(const OptimizeFacts& facts) {
  std::map<std::string, std::pair<Index, std::string>> groups;  // what trials printed, in quotes, does not make a group
  for (const Trial& trial : finished(facts)) {
    if (trial.result.status == TrialStatus::ok) continue;
    const std::string reason =
        std::string(name(trial.result.status)) + (trial.result.reason.empty() ? "" : ": " + trial.result.reason);
    const std::size_t open = reason.find('\''), close = reason.rfind('\'');
    const std::string kind = open == close ? reason : reason.substr(0, open) + reason.substr(close);
    auto& [count, example] = groups[kind];
    if (count++ == 0) example = reason;
  }
  std::vector<std::pair<Index, std::string>> order;
  for (const auto& [kind, group] : groups) order.emplace_back(-group.first, group.second);
  std::sort(order.begin(), order.end());
  std::vector<std::string> texts;
  for (const auto& [count, reason] : order) texts.push_back(fmt::format("{} {}", -count, reason));
  return texts;
}

std::string idle_ranks_text(int idle, int mpi_ranks, std::int64_t ranks_per_trial) {
  return fmt::format("{} of {} MPI ranks had nothing to do: a trial takes {}", idle, mpi_ranks, ranks_per_trial);
}

std::vector<std::string> warnings_of(const OptimizeFacts& facts) {
  std::vector<std::string> warnings;
  if (is_constant(facts))
    warnings.push_back(fmt::format("the objective is constant: all {} trials that succeeded gave {}", succeeded(facts),
                                   value_text(facts.problem.natural(best(facts)->result.value))));
  if (best(facts) == nullptr && succeeded(facts) > 0)
    warnings.push_back("no trial met the constraints that trials report");
  if (facts.idle_ranks > 0)
    warnings.push_back(idle_ranks_text(facts.idle_ranks, facts.mpi_ranks, facts.options.ranks_per_trial));
  if (const auto before = better_source(facts.problem.sources, best(facts)))
    warnings.push_back(
        fmt::format("{} was better than any here: {}", before->text, value_text(facts.problem.natural(before->value))));
  return warnings;
}

Json optimize_summary(const OptimizeFacts& facts) {
  const OptimizationResult& result = facts.result;
  const Trial* trial = best(facts);
  Json summary;
  summary["schema"] = 1;
  summary["command"] = "optimize";
  summary["objective"] =
      facts.problem.built_in ? facts.problem.built_in->name() : facts.problem.file->objectives.front().name;
  summary["direction"] = direction_of(facts.problem);
  summary["best_value"] = trial != nullptr ? Json(facts.problem.natural(trial->result.value)) : Json(nullptr);
  summary["best_point"] = trial != nullptr ? facts.problem.space().to_json(trial->point) : Json(nullptr);
  summary["best_trial"] = trial != nullptr ? Json(trial->number) : Json(nullptr);
  if (facts.problem.built_in) {
    const TestObjective& objective = *facts.problem.built_in;
    summary["optimum"] = objective.optimum();
    summary["regret"] = trial != nullptr ? Json(objective.exact(trial->point) - objective.optimum()) : Json(nullptr);
  }
  summary["trials"] = finished(facts).size();
  summary["failed_trials"] = result.scheduler.failures();
  summary["failures"] = failures_of(facts);
  summary["budget"] = facts.options.budget;
  summary["ended_by"] = result.scheduler.too_many_failures() ? "failures"
                        : result.scheduler.exhausted()       ? "space"
                                                             : "budget";
  summary["scheduler"] = facts.options.scheduler;
  summary["batch"] = facts.options.batch;
  if (facts.options.has_model()) {
    summary["surrogate"] = facts.options.surrogate;
    summary["acquisition"] = facts.options.acquisition;
    summary["hyperparameters"] = facts.options.hyperparameters;
  }
  if (!facts.problem.sources.empty()) summary["warm_start"] = sources_json(facts.problem.sources);
  summary["seconds"] = result.seconds;
  summary["workers"] = facts.workers;
  summary["worker_busy_fraction"] = result.use.busy_fraction;
  summary["worker_busy_fraction_to_the_end"] = result.use.busy_fraction_to_end;
  summary["median_answer_seconds"] = result.use.median_answer_seconds;
  summary["mean_answer_seconds"] = result.use.mean_answer_seconds;
  summary["late_answer_seconds"] = result.use.late_answer_seconds;
  summary["proposing_seconds"] = result.use.proposing_seconds;
  summary["mpi_ranks"] = facts.mpi_ranks;
  summary["ranks_per_trial"] = facts.options.ranks_per_trial;
  summary["model_ranks"] = facts.options.model_ranks;
  summary["memory_growth_bytes_max"] = facts.memory_bytes_max;
  summary["warnings"] = warnings_of(facts);
  summary["regions"] = region_table_json(facts.regions);
  return summary;
}

std::string optimize_text(const OptimizeFacts& facts, const std::string& run_folder) {
  const std::string what = facts.problem.built_in       ? facts.problem.built_in->name()
                           : facts.options.of_command() ? facts.options.command
                                                        : facts.problem.file->objectives.front().name;
  std::string text = fmt::format("{}: {} trials in {}\n\n", what, human_count(std::ssize(finished(facts))),
                                 human_duration(facts.result.seconds));
  text += best_text(facts) + steps_text(facts) + failures_text(facts) + sources_text(facts.problem.sources);
  text +=
      fmt::format("workers       {}{}, busy {:.0f} %\n", facts.workers,
                  facts.options.ranks_per_trial > 1 ? fmt::format(" of {} ranks", facts.options.ranks_per_trial) : "",
                  100 * facts.result.use.busy_fraction);
  if (facts.result.scheduler.exhausted()) text += "ended         early: every point of the space has been tried\n";
  for (const std::string& warning : warnings_of(facts)) text += "look closer   " + warning + "\n";
  return text + fmt::format("results       {}\n", run_folder);
}

}  // namespace tempera::drivers
