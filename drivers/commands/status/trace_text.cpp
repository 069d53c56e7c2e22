#include "drivers/commands/status/trace_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "core/base/text.hpp"

namespace tempera::drivers {

namespace {

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t kRunsWithLetters = 26;  // of more runs each stage has one
constexpr std::size_t kNoTrial = 1 << 24;     // in place of a letter's number
constexpr int kHeading = 14;                  // columns at least
constexpr int kLegendWidth = 84;

std::string stage_of(const std::string& run) {
  return run.substr(0, run.find('['));
}

/// Names and letters, in the order of their beginning.
class Letters {
 public:
  explicit Letters(const StudyTrace& trace) : by_stage_(trace.runs().size() > kRunsWithLetters) {
    for (const TracedSpan& span : trace.spans()) number_of(trace.runs()[span.instance].name);
  }
  std::size_t number_of(const std::string& run) {
    const std::string name = by_stage_ ? stage_of(run) : run;
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
    names_.push_back(name);
    return names_.size() - 1;
  }
  static char letter(std::size_t number) {
    return number == kNoTrial ? '-' : number < kLetters.size() ? kLetters[number] : '#';
  }
  std::string legend(bool trials, bool marks) const {
    std::vector<std::string> entries;
    for (std::size_t i = 0; i < names_.size(); ++i) entries.push_back(fmt::format("{} {}", letter(i), names_[i]));
    if (trials) entries.emplace_back("- no trial");
    entries.emplace_back(". idle");
    if (marks) entries.emplace_back("! failed or broken off");
    std::string text, line;
    for (const std::string& entry : entries) {
      if (!line.empty() && display_width(line) + display_width(entry) > kLegendWidth) {
        text += "  " + line + "\n";
        line.clear();
      }
      line += (line.empty() ? "" : "   ") + entry;
    }
    return text + "  " + line + "\n";
  }

 private:
  bool by_stage_;
  std::vector<std::string> names_;
};

struct Cells {
  Cells(const StudyTrace& trace, TraceSize size) : columns(std::max(1, size.columns)) {
    for (const TracedSession& session : trace.sessions()) ranks = std::max(ranks, session.mpi_ranks);
    for (const TracedSpan& span : trace.spans()) ranks = std::max(ranks, span.ranks.end());
    ranks_a_row = (ranks + std::max(1, size.rows) - 1) / std::max(1, size.rows);
    rows = (ranks + ranks_a_row - 1) / ranks_a_row;
    width = trace.seconds() / columns;
    cells.resize(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns));
  }
  std::map<std::size_t, double>& at(int row, int column) {
    return cells[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column)];
  }
  int ranks_of(int row) const { return std::min(ranks_a_row, ranks - row * ranks_a_row); }

  /// @param instead  a letter that has had this time until now
  void add(RankSpan span, double began, double ended, std::size_t letter, std::optional<std::size_t> instead = {}) {
    const int first = std::clamp(static_cast<int>(began / width), 0, columns - 1);
    const int last = std::clamp(static_cast<int>(ended / width), first, columns - 1);
    for (int row = span.first / ranks_a_row; row <= (span.end() - 1) / ranks_a_row; ++row) {
      const int begin = std::max(span.first, row * ranks_a_row);
      const int end = std::min(span.end(), (row + 1) * ranks_a_row);
      for (int column = first; column <= last; ++column) {
        const double overlap = std::min(ended, (column + 1) * width) - std::max(began, column * width);
        const double rank_seconds = (end - begin) * std::max(0.0, overlap);
        at(row, column)[letter] += rank_seconds;
        if (instead) at(row, column)[*instead] -= rank_seconds;
      }
    }
  }
  void mark_end(const TracedSpan& span) {
    const int column = std::clamp(static_cast<int>(std::ceil(span.ended / width)) - 1, 0, columns - 1);
    for (int row = span.ranks.first / ranks_a_row; row <= (span.ranks.end() - 1) / ranks_a_row; ++row)
      marked.insert({row, column});
  }
  char letter(int row, int column) {
    if (marked.contains({row, column})) return '!';
    double busy = 0, most = 0;
    char letter = '.';
    for (const auto& [number, seconds] : at(row, column)) {
      busy += seconds;
      if (seconds > most) letter = Letters::letter(number);
      most = std::max(most, seconds);
    }
    return busy > 0.5 * width * ranks_of(row) ? letter : '.';
  }

  int columns, ranks = 1, ranks_a_row = 1, rows = 1;
  double width = 0;
  std::vector<std::map<std::size_t, double>> cells;  // rank-seconds of each letter
  std::set<std::pair<int, int>> marked;
};

std::string row_name(const Cells& cells, int row) {
  const int first = row * cells.ranks_a_row, count = cells.ranks_of(row);
  return count == 1 ? fmt::format("rank {}", first) : fmt::format("ranks {}-{}", first, first + count - 1);
}

std::string ruler(double seconds, int columns, int heading) {
  const std::string end = human_duration(seconds);
  return fmt::format("  {:{}}0 s{:>{}}\n", "", heading, end, std::max(columns - 3, display_width(end) + 1));
}

/// How long it had worked when what broke off broke off is not known any more.
bool ended_broken(const StudyTrace& trace, std::size_t session) {
  const auto& spans = trace.spans();
  return std::any_of(spans.begin(), spans.end(),
                     [&](const TracedSpan& span) { return span.session == session && span.end == RunPhase::broken; });
}

/// "  resumed after 12.0 s of work, on 2 MPI ranks"
std::string sessions_text(const StudyTrace& trace) {
  constexpr std::size_t kShown = 8;
  std::string text;
  const auto& sessions = trace.sessions();
  for (std::size_t i = sessions.size() > kShown ? sessions.size() - kShown : 1; i < sessions.size(); ++i)
    text += fmt::format("  resumed after {} of work{}, on {} MPI rank{}\n", human_duration(sessions[i].began),
                        ended_broken(trace, i) ? " and what was broken off" : "", sessions[i].mpi_ranks,
                        sessions[i].mpi_ranks == 1 ? "" : "s");
  return text;
}

}  // namespace

std::string trace_text(const StudyTrace& trace, TraceSize size, std::span<const TrialSpan> trials) {
  if (trace.spans().empty() || !(trace.seconds() > 0)) return {};
  Letters letters(trace);
  Cells cells(trace, size);
  std::set<std::size_t> with_trials;
  for (const TrialSpan& trial : trials) with_trials.insert(trial.span);
  const auto letter_of = [&](const TracedSpan& span) { return letters.number_of(trace.runs()[span.instance].name); };
  for (std::size_t i = 0; i < trace.spans().size(); ++i) {
    const TracedSpan& span = trace.spans()[i];
    cells.add(span.ranks, span.began, span.ended, with_trials.contains(i) ? kNoTrial : letter_of(span));
  }
  for (const TrialSpan& trial : trials)
    cells.add(trial.ranks, trial.began, trial.ended, letter_of(trace.spans()[trial.span]), kNoTrial);
  for (const TracedSpan& span : trace.spans())
    if (span.end == RunPhase::failed || span.end == RunPhase::broken) cells.mark_end(span);
  const int heading = std::max(kHeading, display_width(row_name(cells, cells.rows - 1)) + 2);
  std::string text;
  for (int row = 0; row < cells.rows; ++row) {
    std::string line;
    for (int column = 0; column < cells.columns; ++column) line += cells.letter(row, column);
    text += fmt::format("  {:{}}{}\n", row_name(cells, row), heading, line);
  }
  return text + ruler(trace.seconds(), cells.columns, heading) +
         letters.legend(!trials.empty(), !cells.marked.empty()) + sessions_text(trace);
}

}  // namespace tempera::drivers
