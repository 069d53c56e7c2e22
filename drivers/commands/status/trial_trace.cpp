#include "drivers/commands/status/trial_trace.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "drivers/commands/status/progress_tail.hpp"

namespace tempera::drivers {

namespace {

constexpr double kNotEnded = std::numeric_limits<double>::infinity();

/// Times are from the beginning of the session.
struct WorkerSpan {
  std::int64_t worker = 0;
  double began = 0, ended = kNotEnded;
};

using Session = std::vector<WorkerSpan>;

std::vector<Session> sessions_of(const std::filesystem::path& journal) {
  std::vector<Session> sessions;
  std::error_code error;
  if (!std::filesystem::is_regular_file(journal, error)) return sessions;
  std::optional<std::string> damage;
  std::map<std::int64_t, std::size_t> open;
  double start = 0;
  for (const auto& event : JournalFile::read_good(journal, damage)) {
    const std::string kind = text_in(event, "event");
    const double at = number_in(event, "at_seconds").value_or(0);
    if (kind == "session") {
      sessions.emplace_back();
      open.clear();
      start = at;
    }
    const auto number = integer_in(event, "number");
    if (!number || sessions.empty()) continue;
    if (kind == "start") {
      open[*number] = sessions.back().size();
      sessions.back().push_back({integer_in(event, "worker").value_or(-1), at - start, kNotEnded});
    }
    if (const auto found = open.find(*number); kind == "result" && found != open.end()) {
      sessions.back()[found->second].ended = at - start;
      open.erase(found);
    }
  }
  return sessions;
}

}  // namespace

std::optional<RankSpan> ranks_of_worker(const RunStatus& run, RankSpan ranks, std::int64_t worker) {
  const auto each = run.ranks_per_trial.value_or(1), model = run.model_ranks.value_or(0);
  if (worker < 0 || each < 1 || model < 0 || worker > ranks.count || each > ranks.count || model > ranks.count)
    return std::nullopt;
  if (ranks.count == 1) return ranks;
  const auto first = 1 + model + worker * each;
  if (first + each > ranks.count) return std::nullopt;
  return RankSpan{ranks.first + static_cast<int>(first), static_cast<int>(each)};
}

std::vector<TrialSpan> trial_spans(const StudyTrace& trace, std::size_t instance, const RunStatus& run) {
  std::vector<std::size_t> own;
  for (std::size_t i = 0; i < trace.spans().size(); ++i)
    if (trace.spans()[i].instance == instance) own.push_back(i);
  const std::vector<Session> sessions = sessions_of(run.folder / "journal.jsonl");
  std::vector<TrialSpan> trials;
  for (std::size_t back = 1; back <= std::min(own.size(), sessions.size()); ++back) {
    const std::size_t number = own[own.size() - back];
    const TracedSpan& span = trace.spans()[number];
    for (const WorkerSpan& trial : sessions[sessions.size() - back])
      if (const auto ranks = ranks_of_worker(run, span.ranks, trial.worker))
        trials.push_back({number, *ranks, std::clamp(span.began + trial.began, span.began, span.ended),
                          std::clamp(span.began + trial.ended, span.began, span.ended)});
  }
  return trials;
}

}  // namespace tempera::drivers
