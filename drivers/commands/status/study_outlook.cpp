#include "drivers/commands/status/study_outlook.hpp"

#include <algorithm>
#include <map>

#include "distributed/tasks/task.hpp"

namespace tempera::drivers {

namespace {

constexpr int kMostRanks = 1 << 20;  // that are looked at one by one

RankSpan within(RankSpan span, int ranks) {
  const int first = std::min(span.first, ranks);
  return {first, std::min(span.end(), ranks) - first};
}

void paint(std::vector<RankUse>& uses, RankSpan span, const RankUse& use) {
  for (int rank = span.first; rank < span.end(); ++rank) uses[static_cast<std::size_t>(rank)] = use;
}

void paint_run(std::vector<RankUse>& uses, const StudyRunStatus& run, std::size_t number) {
  const int ranks = static_cast<int>(uses.size());
  const RankSpan span = within(*run.traced.ranks, ranks);
  RankUse use;
  use.run = number;
  paint(uses, span, use);
  if (run.engine != "optimize" || span.count < 2 || !run.own) return;
  use.proposes = true;
  const auto model = std::clamp<std::int64_t>(run.own->model_ranks.value_or(0), 0, span.count - 1);
  paint(uses, {span.first, 1 + static_cast<int>(model)}, use);
  use.proposes = false;
  for (const TrialStatus& trial : run.trials) {
    if (!trial.ranks) continue;
    use.trial = trial.number;
    paint(uses, within(*trial.ranks, ranks), use);
  }
}

/// Mean time and rank-seconds of the runs of a stage that are done.
struct Usual {
  double seconds = 0, rank_seconds = 0;
};

std::map<std::string, Usual> usual_times(const StudyStatus& status) {
  std::map<std::string, Usual> usual;
  std::map<std::string, int> counts;
  for (const StudyRunStatus& run : status.runs) {
    if (run.traced.phase != RunPhase::done || !run.traced.ranks) continue;
    usual[run.stage].seconds += run.traced.seconds;
    usual[run.stage].rank_seconds += run.traced.seconds * run.traced.ranks->count;
    ++counts[run.stage];
  }
  for (auto& [stage, times] : usual) {
    times.seconds /= counts[stage];
    times.rank_seconds /= counts[stage];
  }
  return usual;
}

}  // namespace

void take_ranks(StudyStatus& status) {
  if (status.run.state != RunState::running || status.trace.sessions().empty()) return;
  const int ranks = status.trace.sessions().back().mpi_ranks;
  if (ranks > kMostRanks) return;
  std::vector<RankUse> uses(static_cast<std::size_t>(ranks));
  uses.front().master = ranks > 1;
  for (std::size_t i = 0; i < status.runs.size(); ++i)
    if (status.runs[i].traced.phase == RunPhase::running && status.runs[i].traced.ranks)
      paint_run(uses, status.runs[i], i);
  for (int rank = 0; rank < ranks; ++rank) {
    RankUse use = uses[static_cast<std::size_t>(rank)];
    use.ranks = {rank, 1};
    if (!status.ranks.empty()) {
      RankUse before = status.ranks.back();
      before.ranks = use.ranks;
      if (before == use) {
        ++status.ranks.back().ranks.count;
        continue;
      }
    }
    status.ranks.push_back(use);
  }
}

void take_time_left(StudyStatus& status) {
  if (status.run.state != RunState::running || status.trace.sessions().empty()) return;
  const auto usual = usual_times(status);
  bool known = status.whole, at_most = true;
  double longest = 0, rank_seconds = 0;
  for (StudyRunStatus& run : status.runs) {
    const RunPhase phase = run.traced.phase;
    if (phase != RunPhase::running && phase != RunPhase::waiting && phase != RunPhase::left) continue;
    const auto found = usual.find(run.stage);
    if (phase == RunPhase::running && run.own && run.own->seconds_left) {
      run.seconds_left = run.own->seconds_left;
    } else if (found != usual.end()) {
      at_most = false;
      run.seconds_left = phase == RunPhase::running ? std::max(0.0, found->second.seconds - run.age.value_or(0))
                                                    : found->second.seconds;
    } else {
      known = false;
      continue;
    }
    longest = std::max(longest, *run.seconds_left);
    rank_seconds += phase == RunPhase::running ? *run.seconds_left * run.traced.ranks.value_or(RankSpan{0, 1}).count
                                               : found->second.rank_seconds;
    at_most &= phase == RunPhase::running;
  }
  if (!known) return;
  const double shared = rank_seconds / worker_ranks(status.trace.sessions().back().mpi_ranks);
  status.seconds_left = at_most ? longest : std::max(longest, shared);
  status.left_at_most = at_most;
}

}  // namespace tempera::drivers
