#pragma once

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "drivers/commands/status/run_status.hpp"
#include "drivers/commands/status/study_trace.hpp"
#include "drivers/commands/status/trial_status.hpp"
#include "drivers/commands/status/trial_trace.hpp"

namespace tempera::drivers {

/// A run of a study: what the study's journal and the run's own folder say.
struct StudyRunStatus {
  TracedRun traced;
  std::string stage, engine;           ///< the engine is empty where nothing names it
  std::filesystem::path folder;        ///< whether it is there or not
  std::optional<double> age;           ///< seconds since it began, of one that runs
  std::optional<RunStatus> own;        ///< of one that runs, has broken off or was left, if its folder has it
  std::string last_line;               ///< the same of a command: what it printed last
  std::vector<TrialStatus> trials;     ///< of an optimize run: those on their way
  nlohmann::ordered_json best_point;   ///< of an optimize run that is not done; may be null
  nlohmann::ordered_json result;       ///< of one that is done, if it was asked for; may be null
  std::optional<double> seconds_left;  ///< of one that runs or waits
};

/// A stage with its runs.
struct StageStatus {
  std::string name, engine;
  std::size_t first = 0, count = 0;  ///< of its runs, which are neighbours
  std::array<std::size_t, kRunPhases> phases{};
  std::string trials_of;                ///< it has no runs of its own: the stage whose trials its runs are
  std::vector<std::string> waits_for;   ///< stages that have not ended well, of one that waits
  std::optional<std::size_t> selected;  ///< number of the run that `select` prefers by now
  std::size_t in(RunPhase phase) const { return phases[static_cast<std::size_t>(phase)]; }
};

/// Ranks that do the same.
struct RankUse {
  RankSpan ranks;
  std::optional<std::size_t> run;     ///< nothing: the master between its letters, or idle ones
  std::optional<std::int64_t> trial;  ///< of an optimize run
  bool master = false;
  bool proposes = false;  ///< of an optimize run: proposes, or computes the model
  bool operator==(const RankUse&) const = default;
};

/// How a study stands, as its run folder alone tells.
struct StudyStatus {
  RunStatus run;
  std::string title;
  bool whole = false;  ///< study.toml could be read; else only the runs that have begun are known
  std::vector<StageStatus> stages;
  std::vector<StudyRunStatus> runs;
  StudyTrace trace;
  std::vector<TrialSpan> trials;  ///< of the optimize runs, if results were asked for
  std::vector<RankUse> ranks;     ///< of one that runs
  double busy_fraction = 0;       ///< of the workers so far
  std::optional<double> seconds_left;
  bool left_at_most = false;  ///< the time left is a limit, else an estimate by the runs that are done

  std::size_t in(RunPhase phase) const;
};

/// Whether it is the run of a study.
bool is_study(const RunStatus& run);

/// Reads the rest of what the folder of a study says. Damaged, partial and absent files leave gaps and notes.
/// @param run      read before
/// @param now      seconds since 1970, UTC
/// @param results  read also the results of all runs that are done, not only those of stages with one run, and the
///                 trials of optimize runs that have ended
StudyStatus read_study_status(RunStatus run, double now, bool results);

}  // namespace tempera::drivers
