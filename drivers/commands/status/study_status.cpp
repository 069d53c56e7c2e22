#include "drivers/commands/status/study_status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/base/error.hpp"
#include "drivers/commands/status/progress_tail.hpp"
#include "drivers/commands/status/study_outlook.hpp"
#include "drivers/master/links.hpp"

namespace tempera::drivers {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

constexpr std::size_t kMostResults = 200;   // summaries that are read of one stage
constexpr std::size_t kMostFolders = 1000;  // of runs that run, or ran
constexpr std::uintmax_t kLargestSummary = std::uintmax_t{1} << 24;

std::string stage_in(const std::string& run) {
  return run.substr(0, run.find('['));
}

/// Of a run that only the journal names: fit[rank=4] lies in fit/rank=4. Empty for what would lead out of the stages.
fs::path folder_in(const fs::path& stages, const std::string& run) {
  std::string place = run;
  if (place.ends_with(']')) place.pop_back();
  if (const auto at = place.find('['); at != std::string::npos) place[at] = '/';
  const fs::path relative = fs::path(place).lexically_normal();
  if (relative.is_absolute() || relative.empty() || *relative.begin() == "..") return {};
  return stages / relative;
}

ordered_json summary_of(const fs::path& folder) {
  const fs::path path = folder / "summary.json";
  std::error_code error;
  if (!fs::is_regular_file(path, error) || fs::file_size(path, error) > kLargestSummary) return nullptr;
  std::ifstream file(path, std::ios::binary);
  ordered_json summary = ordered_json::parse(std::string{std::istreambuf_iterator<char>(file), {}}, nullptr, false);
  return summary.is_object() ? std::move(summary) : ordered_json();
}

/// The study as its copy in the run folder says; nothing and a note if that cannot be read.
std::optional<StudyGraph> graph_of(const RunStatus& run, std::vector<std::string>& notes) {
  try {
    const fs::path folder = run.study_folder.empty() ? run.folder : fs::path(run.study_folder);
    return make_graph(read_study(run.folder / "study.toml", folder));
  } catch (const std::exception& error) {
    std::string what = error.what();
    if (const auto* known = dynamic_cast<const Error*>(&error)) what = known->where() + ": " + known->what_is_wrong();
    notes.push_back(printable(what) + "; runs that have not begun are not shown");
    return std::nullopt;
  }
}

void add_run(StudyStatus& status, const std::string& name, const std::string& engine, const fs::path& folder) {
  StudyRunStatus run;
  run.traced.name = name;
  if (const TracedRun* traced = status.trace.find(name)) run.traced = *traced;
  run.stage = stage_in(name);
  run.engine = engine;
  run.folder = folder;
  status.runs.push_back(std::move(run));
}

void take_study(StudyStatus& status, const StudyGraph& graph) {
  status.whole = true;
  status.title = printable(graph.study.title);
  for (std::size_t s = 0; s < graph.study.stages.size(); ++s) {
    const Stage& stage = graph.study.stages[s];
    StageStatus one;
    one.name = stage.name;
    one.engine = name(stage.engine);
    one.first = status.runs.size();
    one.count = graph.of_stage[s].size();
    if (const auto users = graph.study.users_of(s); !users.empty())
      one.trials_of = graph.study.stages[users.front()].name;
    for (const std::size_t i : graph.of_stage[s])
      add_run(status, graph.instances[i].name, one.engine, status.run.folder / "stages" / graph.instances[i].folder);
    status.stages.push_back(std::move(one));
  }
}

/// Without the study: what the journal names, stages in the order of their beginning.
void take_traced(StudyStatus& status) {
  std::vector<std::string> stages;
  for (const TracedRun& run : status.trace.runs())
    if (const std::string stage = stage_in(run.name); std::find(stages.begin(), stages.end(), stage) == stages.end())
      stages.push_back(stage);
  for (const std::string& stage : stages) {
    StageStatus one;
    one.name = stage;
    one.first = status.runs.size();
    for (const TracedRun& run : status.trace.runs())
      if (stage_in(run.name) == stage) add_run(status, run.name, "", folder_in(status.run.folder / "stages", run.name));
    one.count = status.runs.size() - one.first;
    status.stages.push_back(std::move(one));
  }
}

/// When the study stood at `seconds`, as a time of day; nothing if the manifest and the journal do not tell of the same session.
std::optional<double> time_of(const StudyStatus& status, double seconds) {
  const auto& sessions = status.trace.sessions();
  const auto start = utc_seconds(status.run.part_start);
  if (!start || sessions.size() != status.run.resumes + 1) return std::nullopt;
  return *start + seconds - sessions.back().began;
}

/// Until when the processes of the last session lived, in seconds of the study.
double last_life(const StudyStatus& status, double now) {
  const auto begin = time_of(status, 0);
  if (!begin) return 0;
  if (status.run.state == RunState::running) return now - *begin;
  if (status.run.exit_status) return utc_seconds(status.run.end).value_or(0) - *begin;
  return status.run.lock ? now - status.run.lock->heartbeat_age - *begin : 0;
}

/// The latest moment, as a time of day, at which the run did something for sure.
double sign_of_life(const RunStatus& run) {
  double latest = run.readable.empty() ? 0 : utc_seconds(run.readable.front().written).value_or(0);
  const auto start = utc_seconds(run.part_start);
  if (start && run.resumes == 0) latest = std::max(latest, *start + number_in(run.step, "seconds").value_or(0));
  return latest;
}

/// The heartbeat of a lock is rare: what broke off may have worked for longer than that tells.
void look_for_life(StudyStatus& status, double now) {
  const auto begin = time_of(status, 0);
  if (!begin || status.run.state != RunState::died) return;
  double latest = 0;
  for (const StudyRunStatus& run : status.runs) {
    if (run.traced.phase != RunPhase::broken) continue;
    if (run.own) latest = std::max(latest, sign_of_life(*run.own));
    for (const TrialStatus& trial : run.trials)
      if (trial.own) latest = std::max(latest, sign_of_life(*trial.own));
  }
  status.trace.close(std::min(latest, now) - *begin, false);
}

void look_into(StudyRunStatus& run, const StudyStatus& status, double now) {
  const bool runs = run.traced.phase == RunPhase::running;
  if (const auto began = time_of(status, run.traced.began); began && runs) run.age = std::max(0.0, now - *began);
  std::error_code error;
  if (run.folder.empty() || !fs::is_directory(run.folder, error)) return;
  if (run.engine == "command" || !fs::exists(run.folder / "manifest.json", error)) {
    run.last_line = last_line(run.folder / "stdout");
    return;
  }
  try {
    run.own = read_run_status(run.folder, now);
  } catch (const Error&) {
    return;  // it is being made
  }
  if (run.engine.empty()) run.engine = run.own->command;
  if (run.own->command != "optimize") return;
  run.trials = trials_on_their_way(*run.own, run.traced.ranks, now);
  run.best_point = best_point_so_far(*run.own);
}

void take_folders(StudyStatus& status, double now) {
  std::size_t looked = 0;
  for (StudyRunStatus& run : status.runs) {
    const RunPhase phase = run.traced.phase;
    const bool worth = phase == RunPhase::running || phase == RunPhase::broken || phase == RunPhase::left;
    if (worth && ++looked <= kMostFolders) look_into(run, status, now);
  }
}

void take_results(StudyStatus& status, StageStatus& stage, const Stage* plan, bool all) {
  const bool selects = plan != nullptr && plan->select;
  if (stage.count > 1 && !all && !selects) return;
  std::size_t read = 0;
  double best = 0;
  for (std::size_t i = stage.first; i < stage.first + stage.count; ++i) {
    StudyRunStatus& run = status.runs[i];
    if (run.traced.phase != RunPhase::done || run.folder.empty() || ++read > kMostResults) continue;
    run.result = summary_of(run.folder);
    if (run.result.is_null()) {
      status.run.notes.push_back(run.traced.name + " is done, but its summary.json cannot be read");
      continue;
    }
    if (run.engine.empty()) run.engine = text_in(run.result, "command");
    if (!selects) continue;
    try {
      const double value = metric_of(*plan, {run.folder, run.result}, plan->select->metric);
      if (stage.selected && (plan->select->maximise ? value <= best : value >= best)) continue;
      best = value;
      stage.selected = i;
    } catch (const std::exception&) {  // the study itself will say so
    }
  }
}

/// Trials of all optimize runs that have begun, for the trace.
void take_trials(StudyStatus& status, double now) {
  std::size_t looked = 0;
  for (const StudyRunStatus& run : status.runs) {
    if (run.engine != "optimize" || run.folder.empty() || !run.traced.ranks || ++looked > kMostResults) continue;
    std::optional<RunStatus> own = run.own;
    try {
      if (!own) own = read_run_status(run.folder, now);
    } catch (const Error&) {
      continue;  // its folder is gone
    }
    const auto spans = trial_spans(status.trace, status.trace.number_of(run.traced.name).value(), *own);
    status.trials.insert(status.trials.end(), spans.begin(), spans.end());
  }
}

void count_phases(StudyStatus& status) {
  for (StageStatus& stage : status.stages)
    for (std::size_t i = stage.first; i < stage.first + stage.count; ++i) {
      const StudyRunStatus& run = status.runs[i];
      ++stage.phases[static_cast<std::size_t>(run.traced.phase)];
      if (stage.engine.empty()) stage.engine = run.engine;
    }
}

/// Names of the stages that one which waits has to wait for.
void take_waits(StudyStatus& status, const StudyGraph& graph) {
  const auto ended = [&](const std::string& name) {
    for (const StageStatus& stage : status.stages)
      if (stage.name == name) return stage.in(RunPhase::done) == stage.count;
    return true;
  };
  for (std::size_t s = 0; s < status.stages.size(); ++s) {
    StageStatus& stage = status.stages[s];
    if (stage.in(RunPhase::waiting) == 0) continue;
    for (const Dependency& dependency : graph.waits_for[graph.of_stage[s].front()])
      if (const std::string& name = graph.study.stages[dependency.stage].name;
          !ended(name) && std::find(stage.waits_for.begin(), stage.waits_for.end(), name) == stage.waits_for.end())
        stage.waits_for.push_back(name);
  }
}

}  // namespace

std::size_t StudyStatus::in(RunPhase phase) const {
  std::size_t count = 0;
  for (const StageStatus& stage : stages) count += stage.in(phase);
  return count;
}

bool is_study(const RunStatus& run) {
  if (!run.command.empty()) return run.command == "run";
  std::error_code error;
  return fs::exists(run.folder / "study.toml", error) || fs::is_directory(run.folder / "stages", error);
}

StudyStatus read_study_status(RunStatus run, double now, bool results) {
  std::vector<std::string> notes = std::move(run.notes);
  StudyTrace trace = StudyTrace::read(run.folder / "journal.jsonl", notes);
  const auto graph = graph_of(run, notes);
  run.notes = std::move(notes);
  StudyStatus status{std::move(run), "", false, {}, {}, std::move(trace), {}, {}, 0, std::nullopt, false};
  status.trace.close(last_life(status, now), status.run.state == RunState::running);
  if (graph)
    take_study(status, *graph);
  else
    take_traced(status);
  take_folders(status, now);
  look_for_life(status, now);
  status.busy_fraction = status.trace.busy_fraction();
  for (std::size_t s = 0; s < status.stages.size(); ++s)
    take_results(status, status.stages[s], graph ? &graph->study.stages[s] : nullptr, results);
  count_phases(status);
  if (graph) take_waits(status, *graph);
  if (results) take_trials(status, now);
  take_ranks(status);
  take_time_left(status);
  return status;
}

}  // namespace tempera::drivers
