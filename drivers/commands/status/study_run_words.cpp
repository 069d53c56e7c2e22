#include "drivers/commands/status/study_run_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/text.hpp"
#include "drivers/commands/status/progress_tail.hpp"
#include "drivers/commands/status/status_words.hpp"
#include "drivers/master/study_report.hpp"

namespace tempera::drivers {

using nlohmann::ordered_json;

namespace {

constexpr std::size_t kShownTrials = 8;
constexpr std::size_t kShownLetters = 120;  // of what a command printed

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts)
    if (!part.empty()) text += (text.empty() ? "" : "; ") + part;
  return text;
}

/// @param runs  with what changes as long as it does
std::string engine_progress(const RunStatus& run, const ordered_json& best_point, bool runs) {
  std::string values = own_values(run.step);
  if (!best_point.is_null()) values += fmt::format(" at {}", point_text(best_point));
  return joined({position(run.step, run), values, runs ? speed_text(run) : ""});
}

/// "trial 7 on ranks 2-3 for 1.2 s, in stages/search/trials/000007", and how far it is.
std::string trial_lines(const StudyStatus& status, const TrialStatus& trial, bool runs) {
  std::string text = fmt::format("      trial {}", trial.number);
  if (trial.ranks) text += " on " + ranks_words(status, trial.ranks);
  if (trial.age && runs) text += fmt::format(" for {}", human_duration(*trial.age));
  if (!trial.folder.empty()) text += ", in " + printable(trial.folder.lexically_relative(status.run.folder).string());
  if (!trial.own) return text + "\n";
  const std::string checkpoint = trial.own->readable.empty() ? "" : "checkpoint: " + checkpoint_text(*trial.own, false);
  const std::string progress = joined({engine_progress(*trial.own, nullptr, runs), checkpoint});
  return text + (progress.empty() ? "\n" : fmt::format("\n        {}\n", progress));
}

}  // namespace

std::string point_text(const ordered_json& point) {
  std::vector<std::string> texts;
  for (const auto& [key, value] : point.items()) texts.push_back(fmt::format("{}={}", key, value_text(value)));
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string ranks_words(const StudyStatus& status, const std::optional<RankSpan>& ranks) {
  if (!ranks) return {};
  const auto& sessions = status.trace.sessions();
  return ranks_text(*ranks, sessions.empty() ? 0 : sessions.back().mpi_ranks);
}

std::string run_progress(const StudyRunStatus& run) {
  if (run.own) return engine_progress(*run.own, run.best_point, run.traced.phase == RunPhase::running);
  if (run.last_line.empty()) return {};
  const bool cut = run.last_line.size() > kShownLetters;
  return fmt::format("printed last: {}{}", run.last_line.substr(0, kShownLetters), cut ? "..." : "");
}

std::string run_safety(const StudyRunStatus& run) {
  if (!run.own) return "none: it begins anew";
  if (run.own->journal) {
    const auto trials = integer_in(run.own->step, "iteration").value_or(0);
    return fmt::format("its journal, with {} result{}", trials, trials == 1 ? "" : "s");
  }
  const std::string checkpoint = checkpoint_text(*run.own, true);
  return run.own->readable.empty() ? checkpoint + ": it begins anew" : checkpoint;
}

std::string run_result(const StudyRunStatus& run) {
  if (!run.result.is_object()) return {};
  for (const Engine engine : {Engine::decompose, Engine::sample, Engine::optimize, Engine::command})
    if (run.engine == name(engine)) try {
        return printable(result_text(engine, run.result));
      } catch (const std::exception&) {
        return "summary.json cannot be understood";
      }
  return {};
}

std::string run_block(const StudyStatus& status, const StudyRunStatus& run, bool verbose) {
  const bool runs = run.traced.phase == RunPhase::running;
  std::string text = "    " + run.traced.name;
  if (run.traced.ranks) text += " on " + ranks_words(status, run.traced.ranks);
  if (run.age) text += fmt::format(" for {}", human_duration(*run.age));
  text += "\n";
  const std::string progress = run_progress(run);
  if (!progress.empty())
    text += fmt::format("      {}\n", progress);
  else if (runs && run.engine != "command")
    text += "      no step is done yet\n";
  if (run.seconds_left && !(run.own && run.own->seconds_left))
    text +=
        fmt::format("      about {} left, by the runs of the stage that are done\n", human_duration(*run.seconds_left));
  if (!runs || (run.own && (run.own->journal || !run.own->readable.empty())))
    text += fmt::format("      {} {}\n", runs ? "checkpoint:" : "goes on from:", run_safety(run));
  const std::size_t shown = verbose ? run.trials.size() : std::min(run.trials.size(), kShownTrials);
  for (std::size_t i = 0; i < shown; ++i) text += trial_lines(status, run.trials[i], runs);
  if (shown < run.trials.size()) text += fmt::format("      and {} more trials\n", run.trials.size() - shown);
  return text;
}

}  // namespace tempera::drivers
