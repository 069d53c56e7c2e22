#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "drivers/master/study_record.hpp"

namespace tempera::drivers {

enum class RunPhase {
  waiting,
  running,
  done,
  failed,
  skipped,  ///< something that it needs has failed
  left,     ///< it was stopped, to go on later
  broken    ///< it ran when the process of the study went away
};
inline constexpr int kRunPhases = 7;
/// "waiting", "running" …
std::string_view name(RunPhase phase);

/// A run of a study, as far as the journal tells.
struct TracedRun {
  std::string name;
  RunPhase phase = RunPhase::waiting;
  std::optional<RankSpan> ranks;  ///< that it had last
  double began = 0;               ///< seconds of the study, of its last beginning
  double seconds = 0;             ///< of working on it, all sessions together
  std::string reason;             ///< of a failure
};

/// A process that worked on the study. In seconds of the study: they stand still between two sessions.
struct TracedSession {
  double began = 0, ended = 0;
  int mpi_ranks = 1;
};

struct TracedSpan : StudySpan {
  RunPhase end = RunPhase::running;
};

/// Who did what when, from the lines of a study's journal (study_record.hpp) alone: without the study file, and with what is
/// wrong in it left out. `instance` of a span is the run's number here.
class StudyTrace {
 public:
  using Json = nlohmann::ordered_json;

  /// @param notes  gets what was left out
  StudyTrace(std::span<const Json> entries, std::vector<std::string>& notes);
  /// An absent journal is empty; of a damaged one the lines before the damage count.
  static StudyTrace read(const std::filesystem::path& journal, std::vector<std::string>& notes);

  /// What still runs ran until then at least. @param alive  false: it has broken off there
  void close(double seconds, bool alive);

  const std::vector<TracedRun>& runs() const { return runs_; }
  const std::vector<TracedSession>& sessions() const { return sessions_; }
  const std::vector<TracedSpan>& spans() const { return spans_; }
  /// Of a run that the journal names.
  std::optional<std::size_t> number_of(const std::string& run) const;
  const TracedRun* find(const std::string& run) const;
  /// Of working on the study, until the last line or what close() was told.
  double seconds() const { return seconds_; }
  double busy_fraction() const;

 private:
  bool apply(const Json& event);
  void begin_session(int mpi_ranks);
  bool start(const Json& event, std::size_t run);
  bool end(const Json& event, std::size_t run);
  std::size_t numbered(const std::string& run);
  void end_span(std::size_t run, RunPhase how);

  std::unordered_map<std::string, std::size_t> numbers_;
  std::vector<TracedRun> runs_;
  std::vector<TracedSession> sessions_;
  std::vector<TracedSpan> spans_;
  std::unordered_map<std::size_t, std::size_t> open_;  // run → its span
  double seconds_ = 0;
};

}  // namespace tempera::drivers
