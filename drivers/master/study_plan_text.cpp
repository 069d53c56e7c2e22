#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/text.hpp"
#include "drivers/master/study_plan.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

constexpr std::size_t kShownRuns = 6;  // of a stage in a step
constexpr std::size_t kMostRuns = 8;   // up to here all are shown
constexpr int kShownSteps = 40;

std::string plural(std::size_t count, const char* word) {
  return fmt::format("{} {}{}", human_count(static_cast<std::int64_t>(count)), word, count == 1 ? "" : "s");
}

std::string ranks_text(int first, int end, int mpi_ranks) {
  if (mpi_ranks == 1) return "0 of 1";
  if (first == 0) return fmt::format("all {}", mpi_ranks);
  return first + 1 == end ? fmt::format("{} of {}", first, mpi_ranks)
                          : fmt::format("{}-{} of {}", first, end - 1, mpi_ranks);
}

/// Names of what an instance waits for.
std::vector<std::string> needs_of(const StudyGraph& graph, std::size_t instance) {
  std::vector<std::string> needs;
  for (const Dependency& dependency : graph.waits_for[instance]) {
    std::string name =
        dependency.instance ? graph.instances[*dependency.instance].name : graph.study.stages[dependency.stage].name;
    if (std::find(needs.begin(), needs.end(), name) == needs.end()) needs.push_back(std::move(name));
  }
  return needs;
}

std::string memory_text(const StageMemory& memory, bool trials) {
  return text_of(memory) + (trials && memory.bytes ? " a trial" : "");
}

/// Writes the runs of one stage in one step.
class RowWriter {
 public:
  RowWriter(const StudyGraph& graph, std::span<const RunSize> sizes, const StudyPlan& plan, bool whole)
      : graph_(graph), sizes_(sizes), plan_(plan), whole_(whole) {}

  void add(std::span<const PlannedRun> runs, Rows& rows) const {
    const std::size_t shown = whole_ || runs.size() <= kMostRuns ? runs.size() : kShownRuns;
    for (const PlannedRun& run : runs.first(shown)) add_run(run, rows);
    if (shown == runs.size()) return;
    const PlannedRun& first = runs[shown];
    rows.push_back({"", fmt::format("… and {} more of {}", runs.size() - shown, graph_.stage_of(first.instance).name),
                    "", ranks_text(first.first, runs.back().first + runs.back().count, plan_.mpi_ranks), "", ""});
  }

 private:
  void add_run(const PlannedRun& run, Rows& rows) const {
    const Stage& stage = graph_.stage_of(run.instance);
    const RunSize& size = sizes_[run.instance];
    const std::vector<std::string> needs = needs_of(graph_, run.instance);
    rows.push_back({std::to_string(run.step), graph_.instances[run.instance].name, std::string(name(stage.engine)),
                    ranks_text(run.first, run.first + run.count, plan_.mpi_ranks),
                    needs.empty() ? "-" : fmt::format("{}", fmt::join(needs, ", ")),
                    memory_text(size.memory, stage.objective.has_value())});
    if (stage.engine != Engine::optimize) return;
    const std::string what = stage.objective ? " of " + stage.objective->stage : "";
    const std::string groups =
        size.trial_groups == 1 ? "one at a time" : fmt::format("{} at a time", size.trial_groups);
    rows.push_back({"", fmt::format("  {} trials{}", human_count(size.trials), what), groups,
                    size.ranks_per_trial == 1 ? "1 rank each" : fmt::format("{} ranks each", size.ranks_per_trial), "",
                    ""});
  }

  const StudyGraph& graph_;
  std::span<const RunSize> sizes_;
  const StudyPlan& plan_;
  bool whole_;
};

std::string head_text(const StudyGraph& graph, const StudyPlan& plan) {
  const Study& study = graph.study;
  std::string text = fmt::format("{}{}\n", study.file.string(), study.title.empty() ? "" : ": " + study.title);
  text += fmt::format("{} of {} in {}, on {}", plural(graph.instances.size(), "run"),
                      plural(study.stages.size(), "stage"), plural(static_cast<std::size_t>(plan.steps()), "step"),
                      plural(static_cast<std::size_t>(plan.mpi_ranks), "MPI rank"));
  if (plan.mpi_ranks == 2) text += ": rank 0 is the master, rank 1 works";
  if (plan.mpi_ranks > 2) text += fmt::format(": rank 0 is the master, ranks 1-{} work", plan.mpi_ranks - 1);
  return text + "\n\n";
}

}  // namespace

std::string plan_text(const StudyGraph& graph, std::span<const RunSize> sizes, const StudyPlan& plan, bool whole) {
  Rows rows = {{"step", "run", "engine", "ranks", "needs", "memory a rank"}};
  const RowWriter writer(graph, sizes, plan, whole);
  const std::span<const PlannedRun> all = plan.runs;
  std::size_t at = 0;
  while (at < all.size() && (whole || all[at].step <= kShownSteps)) {
    std::size_t end = at;
    const std::size_t stage = graph.instances[all[at].instance].stage;
    while (end < all.size() && all[end].step == all[at].step && graph.instances[all[end].instance].stage == stage)
      ++end;
    writer.add(all.subspan(at, end - at), rows);
    at = end;
  }
  std::string text = head_text(graph, plan) + text_table(rows, TableColumns::left);
  if (at < all.size())
    text += fmt::format("  … and {} in {} (--verbose shows all)\n", plural(all.size() - at, "more run"),
                        plural(static_cast<std::size_t>(plan.steps() - kShownSteps), "more step"));
  return text +
         "\nSteps: as if all runs took equally long; in the job each begins as soon as what it needs has ended and\n"
         "ranks are free. Memory: an estimate, beside some 50 MB that every rank takes. Nothing has been run.\n";
}

Json plan_json(const StudyGraph& graph, std::span<const RunSize> sizes, const StudyPlan& plan) {
  Json runs = Json::array();
  for (const PlannedRun& run : plan.runs) {
    const Stage& stage = graph.stage_of(run.instance);
    const RunSize& size = sizes[run.instance];
    Json json = {{"step", run.step},
                 {"run", graph.instances[run.instance].name},
                 {"stage", stage.name},
                 {"engine", name(stage.engine)},
                 {"folder", ("stages" / graph.instances[run.instance].folder).string()},
                 {"first_rank", run.first},
                 {"ranks", run.count},
                 {"needs", needs_of(graph, run.instance)},
                 {"memory_bytes_per_rank", size.memory.bytes ? Json(*size.memory.bytes) : Json()},
                 {"memory_is_lower_bound", size.memory.at_least}};
    if (stage.engine == Engine::optimize) {
      json["trials"] = {
          {"most", size.trials}, {"groups", size.trial_groups}, {"ranks_per_trial", size.ranks_per_trial}};
      if (stage.objective) json["trials"]["stage"] = stage.objective->stage;
    }
    runs.push_back(std::move(json));
  }
  return {{"schema", 1},
          {"command", "run"},
          {"study", graph.study.file.string()},
          {"title", graph.study.title},
          {"mpi_ranks", plan.mpi_ranks},
          {"steps", plan.steps()},
          {"runs", std::move(runs)}};
}

}  // namespace tempera::drivers
