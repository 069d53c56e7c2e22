#include "distributed/bayesopt/simulation.hpp"

#include <algorithm>
#include <optional>
#include <queue>
#include <set>
#include <tuple>

#include "distributed/bayesopt/pacing.hpp"

namespace tempera {

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

struct Running {
  double end;
  StartEvent start;
  bool operator>(const Running& other) const {
    return std::tie(end, start.number) > std::tie(other.end, other.start.number);
  }
};

class Simulation {
 public:
  Simulation(Scheduler& scheduler, Proposer& proposer, const SimulatedWorkers& workers,
             std::vector<JournalEntry>& entries, double until)
      : scheduler_(scheduler),
        proposer_(proposer),
        workers_(workers),
        entries_(entries),
        until_(until),
        now_(entries.empty() ? 0 : entries.back().seconds),
        pacing_(workers.workers, proposer.is_quick()) {
    for (Index worker = 0; worker < workers.workers; ++worker) free_.insert(worker);
  }

  void run() {
    record(SessionEvent{workers_.workers});
    while (!scheduler_.over() && now_ < until_) step();
  }

 private:
  void record(Event event) {
    scheduler_.apply(event);
    pacing_.take(event);
    entries_.push_back({now_, std::move(event)});
  }

  void step() {
    if (!running_.empty() && running_.top().end <= now_) return end_one();
    if (!free_.empty())
      if (const auto start = scheduler_.next_start(*free_.begin())) return begin_one(*start);
    if (proposing_ && proposed_at_ <= now_) return end_proposal();
    if (!proposing_ && ((!free_.empty() && scheduler_.can_propose()) || pacing_.wants_more(scheduler_)))
      return begin_proposal();
    // There is a trial or a proposal on its way: else the run would be over.
    now_ = std::min(running_.empty() ? kNever : running_.top().end, proposing_ ? proposed_at_ : kNever);
  }

  void end_one() {
    const auto [end, start] = running_.top();
    running_.pop();
    TrialResult result = workers_.evaluate(scheduler_.point(start.number), start.number, start.attempt);
    result.seconds = workers_.seconds(start.number, start.attempt);
    free_.insert(start.worker);
    record(ResultEvent{start.number, start.attempt, std::move(result)});
  }

  void begin_one(const StartEvent& start) {
    free_.erase(start.worker);
    running_.push({now_ + workers_.seconds(start.number, start.attempt), start});
    record(start);
  }

  void begin_proposal() {
    proposing_ = scheduler_.propose(proposer_);
    proposing_->proposing_seconds = workers_.proposing_seconds;
    proposed_at_ = now_ + workers_.proposing_seconds;
  }

  void end_proposal() {
    ProposeEvent event = std::move(*proposing_);
    proposing_.reset();
    record(std::move(event));
  }

  Scheduler& scheduler_;
  Proposer& proposer_;
  const SimulatedWorkers& workers_;
  std::vector<JournalEntry>& entries_;
  double until_;
  double now_;
  Pacing pacing_;
  std::set<Index> free_;
  std::optional<ProposeEvent> proposing_;  // on its way, until
  double proposed_at_ = 0;
  std::priority_queue<Running, std::vector<Running>, std::greater<>> running_;
};

}  // namespace

void simulate(Scheduler& scheduler, Proposer& proposer, const SimulatedWorkers& workers,
              std::vector<JournalEntry>& entries, double until) {
  Simulation(scheduler, proposer, workers, entries, until).run();
}

}  // namespace tempera
