#include "drivers/commands/status/study_status_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/text.hpp"
#include "drivers/commands/status/progress_tail.hpp"
#include "drivers/commands/status/status_words.hpp"
#include "drivers/commands/status/study_run_words.hpp"
#include "drivers/commands/status/trace_text.hpp"

namespace tempera::drivers {

namespace {

constexpr std::size_t kShownRuns = 8;  // of those that run, or failed
constexpr std::size_t kShownInLine = 4;
constexpr std::size_t kShownRanks = 16;  // groups of ranks that do the same
constexpr std::size_t kShownStages = 40;
constexpr RunPhase kPhases[] = {RunPhase::done,   RunPhase::running, RunPhase::broken, RunPhase::left,
                                RunPhase::failed, RunPhase::skipped, RunPhase::waiting};

std::string plural(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string progress_text(const StudyStatus& status) {
  const std::size_t runs = status.runs.size();
  std::vector<std::string> parts{fmt::format("{} of {} done", status.in(RunPhase::done), plural(runs, "run"))};
  for (const RunPhase phase : kPhases)
    if (phase != RunPhase::done && status.in(phase) > 0)
      parts.push_back(fmt::format("{} {}", status.in(phase), name(phase)));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string work_text(const StudyStatus& status) {
  if (status.trace.spans().empty()) return {};
  return fmt::format("{} of work, workers busy {:.1f} % of it", human_duration(status.trace.seconds()),
                     100 * status.busy_fraction);
}

std::string safe_text(const StudyStatus& status) {
  if (status.run.state == RunState::running || status.run.state == RunState::finished) return {};
  const std::size_t done = status.in(RunPhase::done), others = status.in(RunPhase::broken) + status.in(RunPhase::left);
  std::string text = done > 0 ? "the results of " + plural(done, "run") : "";
  if (others > 0)
    text += (done > 0 ? ", and " : "") +
            fmt::format("what {} below {} on from", plural(others, "run"), others == 1 ? "goes" : "go");
  return text;
}

std::string left_text(const StudyStatus& status) {
  if (!status.seconds_left) return {};
  const std::string time = human_duration(*status.seconds_left);
  return status.left_at_most ? "at most " + time : "about " + time + ", by the runs that are done";
}

/// "done", or "2 done, 1 running" of a stage of several runs.
std::string stage_state(const StageStatus& stage) {
  if (!stage.trials_of.empty()) return "trials of " + stage.trials_of;
  std::vector<std::string> parts;
  for (const RunPhase phase : kPhases) {
    if (stage.in(phase) == 0) continue;
    std::string text = stage.count == 1 ? "" : fmt::format("{} ", stage.in(phase));
    text += name(phase);
    if (phase == RunPhase::waiting && !stage.waits_for.empty())
      text += fmt::format(" for {}", fmt::join(stage.waits_for, ", "));
    parts.push_back(text);
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string stage_result(const StudyStatus& status, const StageStatus& stage) {
  if (stage.selected) {
    const StudyRunStatus& run = status.runs[*stage.selected];
    return fmt::format("best {}: {}", run.traced.name, run_result(run));
  }
  if (stage.count != 1) return {};
  const StudyRunStatus& run = status.runs[stage.first];
  if (run.traced.phase == RunPhase::done) return run_result(run);
  if (run.own && !run.best_point.is_null())
    if (const auto best = number_in(run.own->step, "best_value"))
      return fmt::format("best so far {:.6g} at {}", *best, point_text(run.best_point));
  return {};
}

std::string stages_text(const StudyStatus& status, bool verbose) {
  if (status.stages.empty()) return {};
  std::vector<std::vector<std::string>> table{{"stage", "engine", "state", "time", ""}};
  const std::size_t shown = verbose ? status.stages.size() : std::min(status.stages.size(), kShownStages);
  for (std::size_t s = 0; s < shown; ++s) {
    const StageStatus& stage = status.stages[s];
    double seconds = 0;
    for (std::size_t i = stage.first; i < stage.first + stage.count; ++i) seconds += status.runs[i].traced.seconds;
    table.push_back({stage.name, stage.engine.empty() ? "-" : stage.engine, stage_state(stage),
                     seconds > 0 ? human_duration(seconds) : "-", stage_result(status, stage)});
  }
  std::string text = "\n" + text_table(table, TableColumns::left);
  if (shown < status.stages.size()) text += fmt::format("  and {} more (--verbose)\n", status.stages.size() - shown);
  return text;
}

/// The runs of a phase, each a block of its own.
std::string blocks(const StudyStatus& status, RunPhase phase, const char* heading, bool verbose) {
  std::string text;
  std::size_t count = 0;
  for (const StudyRunStatus& run : status.runs)
    if (run.traced.phase == phase && (++count <= kShownRuns || verbose)) text += run_block(status, run, verbose);
  if (count == 0) return {};
  if (!verbose && count > kShownRuns) text += fmt::format("    and {} more (--verbose)\n", count - kShownRuns);
  return fmt::format("\n  {}\n{}", heading, text);
}

std::string failures_text(const StudyStatus& status, bool verbose) {
  std::string text;
  std::size_t count = 0;
  for (const StudyRunStatus& run : status.runs)
    if (run.traced.phase == RunPhase::failed && (++count <= kShownRuns || verbose))
      text += fmt::format("    {}: {}\n", run.traced.name, run.traced.reason);
  if (count == 0) return {};
  if (!verbose && count > kShownRuns) text += fmt::format("    and {} more (--verbose)\n", count - kShownRuns);
  return "\n  failed\n" + text;
}

std::string use_text(const StudyStatus& status, const RankUse& use) {
  if (!use.run) return use.master ? "master" : "idle";
  const StudyRunStatus& run = status.runs[*use.run];
  if (use.proposes) return run.traced.name + ", proposes";
  if (use.trial) return fmt::format("{}, trial {}", run.traced.name, *use.trial);
  return run.engine == "optimize" && use.ranks.count < run.traced.ranks->count ? run.traced.name + ", no trial"
                                                                               : run.traced.name;
}

std::string ranks_list(const StudyStatus& status, bool verbose) {
  if (status.ranks.empty()) return {};
  std::vector<std::vector<std::string>> table;
  const std::size_t shown = verbose ? status.ranks.size() : std::min(status.ranks.size(), kShownRanks);
  for (std::size_t i = 0; i < shown; ++i)
    table.push_back({"  " + ranks_words(status, status.ranks[i].ranks), use_text(status, status.ranks[i])});
  std::string text = "\n  ranks\n" + text_table(table, TableColumns::left);
  if (shown < status.ranks.size())
    text += fmt::format("    and {} more groups (--verbose)\n", status.ranks.size() - shown);
  return text;
}

std::string all_runs(const StudyStatus& status) {
  std::vector<std::vector<std::string>> table{{"run", "state", "ranks", "time", ""}};
  for (const StudyRunStatus& run : status.runs) {
    const std::string ranks = ranks_words(status, run.traced.ranks);
    table.push_back({run.traced.name, std::string(name(run.traced.phase)), ranks.empty() ? "-" : ranks,
                     run.traced.seconds > 0 ? human_duration(run.traced.seconds) : "-",
                     run.traced.reason.empty() ? run_result(run) : run.traced.reason});
  }
  return "\n" + text_table(table, TableColumns::left);
}

}  // namespace

std::string study_next_text(const StudyStatus& status) {
  const RunStatus& run = status.run;
  const int ranks = status.trace.sessions().empty() ? 1 : status.trace.sessions().back().mpi_ranks;
  if (run.state == RunState::finished) return "the results are in " + printable((run.folder / "summary.txt").string());
  if (run.state == RunState::running) {
    const LockOwner& owner = run.lock->owner;
    if (ranks > 1) return "SIGUSR1 to its mpirun makes all that runs write checkpoints, and the study stop";
    return owner.pid == 0
               ? ""
               : fmt::format("'kill -USR1 {}' on {} makes it write a checkpoint and stop", owner.pid, owner.host);
  }
  const std::string launcher = ranks > 1 ? fmt::format("mpirun -n {} ", ranks) : "";
  const std::size_t rest = status.runs.size() - status.in(RunPhase::done);
  const std::string what = status.whole
                               ? "the " + plural(rest, "run") + (rest == 1 ? " that is" : " that are") + " not done"
                               : "what is not done";
  return fmt::format("'{}tempera resume {}' goes on with {}, on any number of MPI ranks{}", launcher,
                     printable(run.folder.string()), what,
                     run.state == RunState::failed ? ", once the cause is mended" : "");
}

std::string study_status_text(const StudyStatus& status, bool verbose) {
  const RunStatus& run = status.run;
  std::string text =
      "tempera run" + (run.input.empty() ? " in " + printable(run.folder.string()) : " of " + run.input) + "\n";
  const auto line = [&](const char* heading, const std::string& content) {
    if (!content.empty()) text += fmt::format("  {:12}{}\n", heading, content);
  };
  line("study", status.title);
  line("state", state_text(run));
  line("started", started_text(run));
  line("progress", progress_text(status));
  line("work", work_text(status));
  line("safe", safe_text(status));
  line("left", left_text(status));
  for (const std::string& note : run.notes) line("note", note);
  text += stages_text(status, verbose);
  if (verbose) text += all_runs(status);
  text += failures_text(status, verbose);
  text += blocks(status, RunPhase::running, "running", verbose);
  text += blocks(status, RunPhase::broken, "broken off", verbose);
  text += blocks(status, RunPhase::left, "left, to go on later", verbose);
  text += ranks_list(status, verbose);
  if (verbose)
    if (const std::string trace = trace_text(status.trace, {}, status.trials); !trace.empty())
      text += "\n  who did what when\n" + trace;
  if (const std::string next = study_next_text(status); !next.empty())
    text += fmt::format("\n  {:12}{}\n", "next", next);
  return text;
}

std::string study_status_line(const StudyStatus& status) {
  std::vector<std::string> parts{std::string(name(status.run.state)), progress_text(status)};
  std::size_t shown = 0;
  for (const StudyRunStatus& run : status.runs) {
    const std::string progress = run_progress(run);
    if (run.traced.phase == RunPhase::running && ++shown <= kShownInLine)
      parts.push_back(run.traced.name + (progress.empty() ? "" : ": " + progress));
  }
  if (shown > kShownInLine) parts.push_back(fmt::format("and {} more", shown - kShownInLine));
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace tempera::drivers
