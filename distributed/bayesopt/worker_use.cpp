#include "distributed/bayesopt/worker_use.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

namespace tempera {

namespace {

/// One session, from the moment at which its workers are there.
class Session {
 public:
  Session(double begin, Index workers)
      : workers_(static_cast<double>(workers)), begin_(begin), end_(begin), last_start_(begin) {}

  void start(double now, const StartEvent& event) {
    running_[event.number] = {now, event.worker};
    last_start_ = end_ = now;
    if (const auto free = free_since_.find(event.worker); free != free_since_.end()) {
      answers_.push_back(now - free->second);
      free_since_.erase(free);
    }
  }
  void result(double now, const ResultEvent& event) {
    end_ = now;
    const auto trial = running_.find(event.number);
    if (trial == running_.end()) return;
    const auto [start, worker] = trial->second;
    spans_.emplace_back(start, std::min(now, start + event.result.seconds));
    free_since_[worker] = now;
    running_.erase(trial);
  }
  /// What still runs was busy as long as is known.
  void close() {
    for (const auto& [number, trial] : running_) spans_.emplace_back(trial.first, end_);
  }

  double busy(double until) const {
    double sum = 0;
    for (const auto& [from, to] : spans_) sum += std::max(0.0, std::min(to, until) - from);
    return sum;
  }
  double capacity(double until) const { return workers_ * (until - begin_); }
  double last_start() const { return last_start_; }
  double end() const { return end_; }
  const std::vector<double>& answers() const { return answers_; }

 private:
  double workers_;
  double begin_, end_, last_start_;
  std::map<Index, std::pair<double, Index>> running_;  // by number: when it started, on which worker
  std::map<Index, double> free_since_;                 // by worker
  std::vector<std::pair<double, double>> spans_;
  std::vector<double> answers_;
};

double share(double part, double whole) {
  return whole > 0 ? std::min(1.0, part / whole) : 0;
}

}  // namespace

WorkerUse worker_use(std::span<const JournalEntry> entries) {
  std::vector<Session> sessions;
  WorkerUse use;
  for (const JournalEntry& entry : entries) {
    if (const auto* session = std::get_if<SessionEvent>(&entry.event)) {
      if (!sessions.empty()) sessions.back().close();
      sessions.emplace_back(entry.seconds, session->workers);
    }
    if (const auto* proposal = std::get_if<ProposeEvent>(&entry.event))
      use.proposing_seconds += proposal->proposing_seconds;
    if (sessions.empty()) continue;
    if (const auto* start = std::get_if<StartEvent>(&entry.event)) sessions.back().start(entry.seconds, *start);
    if (const auto* result = std::get_if<ResultEvent>(&entry.event)) sessions.back().result(entry.seconds, *result);
  }
  if (!sessions.empty()) sessions.back().close();
  double busy = 0, capacity = 0, busy_all = 0, capacity_all = 0;
  std::vector<double> answers;
  for (const Session& session : sessions) {
    busy += session.busy(session.last_start());
    capacity += session.capacity(session.last_start());
    busy_all += session.busy(session.end());
    capacity_all += session.capacity(session.end());
    answers.insert(answers.end(), session.answers().begin(), session.answers().end());
  }
  use.busy_fraction_to_end = share(busy_all, capacity_all);
  use.busy_fraction = capacity > 0 ? share(busy, capacity) : use.busy_fraction_to_end;
  if (answers.empty()) return use;
  use.mean_answer_seconds = std::accumulate(answers.begin(), answers.end(), 0.0) / static_cast<double>(answers.size());
  std::sort(answers.begin(), answers.end());
  use.median_answer_seconds = answers[answers.size() / 2];
  use.late_answer_seconds = answers[(answers.size() * 99 + 99) / 100 - 1];
  return use;
}

}  // namespace tempera
