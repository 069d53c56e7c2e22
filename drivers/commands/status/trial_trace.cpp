#include "drivers/commands/status/trial_trace.hpp"

#include <algorithm>

#include "drivers/commands/status/trial_sessions.hpp"

namespace tempera::drivers {

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
  const auto sessions = trial_sessions(run.folder / "journal.jsonl");
  std::vector<TrialSpan> trials;
  for (std::size_t back = 1; back <= std::min(own.size(), sessions.size()); ++back) {
    const std::size_t number = own[own.size() - back];
    const TracedSpan& span = trace.spans()[number];
    for (const WorkedTrial& trial : sessions[sessions.size() - back])
      if (const auto ranks = ranks_of_worker(run, span.ranks, trial.worker))
        trials.push_back({number, *ranks, std::clamp(span.began + trial.began, span.began, span.ended),
                          std::clamp(span.began + trial.ended, span.began, span.ended)});
  }
  return trials;
}

}  // namespace tempera::drivers
