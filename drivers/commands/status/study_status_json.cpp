#include <algorithm>

#include "drivers/commands/status/progress_tail.hpp"
#include "drivers/commands/status/status_text.hpp"
#include "drivers/commands/status/status_words.hpp"
#include "drivers/commands/status/study_run_words.hpp"
#include "drivers/commands/status/study_status_text.hpp"

namespace tempera::drivers {

using nlohmann::ordered_json;

namespace {

/// First and last.
ordered_json ranks_json(const std::optional<RankSpan>& ranks) {
  return ranks ? ordered_json{ranks->first, ranks->end() - 1} : ordered_json();
}

std::string folder_text(const StudyStatus& status, const std::filesystem::path& folder) {
  return folder.empty() ? "" : printable(folder.lexically_relative(status.run.folder).string());
}

std::string word(RunPhase phase) {
  std::string word(name(phase));
  std::replace(word.begin(), word.end(), ' ', '_');
  return word;
}

/// How far the run of an engine is, and from where it would go on.
void add_progress(ordered_json& json, const RunStatus& run) {
  json["step"] = run.step.empty() ? ordered_json() : run.step;
  json["limit"] = or_null(run.limit);
  json["seconds_per_iteration"] = or_null(run.seconds_per_iteration);
  json["checkpoint"] = checkpoint_json(run);
  json["journal"] = run.journal;
}

ordered_json trial_json(const StudyStatus& status, const TrialStatus& trial) {
  ordered_json json{{"number", trial.number}, {"ranks", ranks_json(trial.ranks)}};
  json["folder"] = text_or_null(folder_text(status, trial.folder));
  json["age_seconds"] = or_null(trial.age);
  if (trial.own) add_progress(json, *trial.own);
  return json;
}

ordered_json run_json(const StudyStatus& status, const StudyRunStatus& run) {
  ordered_json json{{"run", run.traced.name}, {"stage", run.stage}, {"engine", text_or_null(run.engine)}};
  json["state"] = word(run.traced.phase);
  json["folder"] = text_or_null(folder_text(status, run.folder));
  json["ranks"] = ranks_json(run.traced.ranks);
  json["seconds"] = run.traced.seconds;
  if (!run.traced.reason.empty()) json["reason"] = run.traced.reason;
  json["age_seconds"] = or_null(run.age);
  json["seconds_left"] = or_null(run.seconds_left);
  if (run.own) add_progress(json, *run.own);
  if (!run.last_line.empty()) json["last_line"] = run.last_line;
  if (!run.best_point.is_null()) json["best_point"] = run.best_point;
  if (!run.trials.empty()) json["trials"] = ordered_json::array();
  for (const TrialStatus& trial : run.trials) json["trials"].push_back(trial_json(status, trial));
  if (run.result.is_object()) json["result"] = plain_values(run.result);
  return json;
}

ordered_json stage_json(const StudyStatus& status, const StageStatus& stage) {
  ordered_json json{{"stage", stage.name}, {"engine", text_or_null(stage.engine)}, {"runs", stage.count}};
  for (int phase = 0; phase < kRunPhases; ++phase)
    json[word(static_cast<RunPhase>(phase))] = stage.phases[static_cast<std::size_t>(phase)];
  json["trials_of"] = text_or_null(stage.trials_of);
  json["waits_for"] = stage.waits_for;
  json["selected"] = stage.selected ? ordered_json(status.runs[*stage.selected].traced.name) : ordered_json();
  return json;
}

ordered_json use_json(const StudyStatus& status, const RankUse& use) {
  ordered_json json{{"ranks", ranks_json(use.ranks)}};
  json["run"] = use.run ? ordered_json(status.runs[*use.run].traced.name) : ordered_json();
  json["trial"] = or_null(use.trial);
  json["master"] = use.master;
  return json;
}

ordered_json span_json(const StudyStatus& status, const TracedSpan& span) {
  return {{"run", status.trace.runs()[span.instance].name},
          {"ranks", ranks_json(span.ranks)},
          {"begin_seconds", span.began},
          {"end_seconds", span.ended},
          {"end", word(span.end)},
          {"session", span.session}};
}

}  // namespace

ordered_json study_status_json(const StudyStatus& status) {
  ordered_json study{{"title", text_or_null(status.title)}, {"whole", status.whole}, {"runs", status.runs.size()}};
  study["done"] = status.in(RunPhase::done);
  study["seconds"] = status.trace.seconds();
  study["worker_busy_fraction"] = status.busy_fraction;
  study["seconds_left"] = or_null(status.seconds_left);
  study["seconds_left_is_limit"] = status.left_at_most;
  for (const char* key : {"stages", "instances", "ranks", "sessions", "trace"}) study[key] = ordered_json::array();
  for (const StageStatus& stage : status.stages) study["stages"].push_back(stage_json(status, stage));
  for (const StudyRunStatus& run : status.runs) study["instances"].push_back(run_json(status, run));
  for (const RankUse& use : status.ranks) study["ranks"].push_back(use_json(status, use));
  for (const TracedSession& session : status.trace.sessions())
    study["sessions"].push_back(
        {{"begin_seconds", session.began}, {"end_seconds", session.ended}, {"mpi_ranks", session.mpi_ranks}});
  for (const TracedSpan& span : status.trace.spans()) study["trace"].push_back(span_json(status, span));
  ordered_json json = status_json(status.run);
  json["next"] = text_or_null(study_next_text(status));
  json["study"] = std::move(study);
  return json;
}

}  // namespace tempera::drivers
