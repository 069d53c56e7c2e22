#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/bayesopt/proposer.hpp"
#include "core/bayesopt/trial.hpp"
#include "distributed/bayesopt/event.hpp"

namespace tempera {

/// async: a point is proposed by all that is known at that moment; results count in the order of their arrival.
/// batch: points are proposed `batch` at a time, by the results of the batches before; results count in the order of the
///        numbers, so that nothing depends on who was faster.
/// blind: no result matters to a proposal (random and Sobol points); results count in the order of the numbers too.
enum class Schedule { async, batch, blind };

struct SchedulerOptions {
  Schedule schedule = Schedule::async;
  Index budget = 100;                 ///< trials, failed ones included
  Index batch = 1;                    ///< of Schedule::batch
  std::optional<Index> max_failures;  ///< with one more failed trial the run ends; those after it do not count
  Index max_retries = 0;              ///< of a trial that was lost or crashed
};

/// All that a proposal may depend on.
struct ProposalBasis {
  Index number = 0;
  std::vector<Trial> finished;
  std::vector<PendingTrial> pending;
};

/// Who tries what when: the deterministic core of an optimisation, without clocks and without MPI. Its state is what the
/// applied events make of an empty one; the functions that decide are const and tell the event that would be next. So
/// the journal of a run, applied again, gives its state to the bit.
///
///     while (!scheduler.over()) {
///       if (a result has come)                                   scheduler.apply(ResultEvent{…});
///       else if (a worker is free and auto start = scheduler.next_start(worker))  scheduler.apply(*start);
///       else if (scheduler.can_propose())                        scheduler.apply(scheduler.propose(proposer));
///     }
class Scheduler {
 public:
  /// @pre budget ≥ 1, batch ≥ 1
  explicit Scheduler(SchedulerOptions options);

  /// Whether there is room for one more point, and what it depends on is known.
  bool can_propose() const;
  /// The next point, by what may be known to it: next_proposal() completed by the proposer, given its basis. In between
  /// other events may come, such as results; they are not known to it. @throws what the proposer does
  ProposeEvent propose(Proposer& proposer) const;
  /// What is known to the next proposal; without its point. @pre can_propose()
  ProposeEvent next_proposal() const;
  /// Of this proposal, also of one that was made long ago: a proposer gives it the same point again.
  ProposalBasis basis_of(const ProposeEvent& event) const;
  /// Points ready to be started: proposed ahead, or to be tried again.
  Index waiting() const { return waiting_; }
  /// The next trial for a worker, those to be tried again first; nothing if none is ready.
  std::optional<StartEvent> next_start(Index worker) const;
  /// A proposer found that every point of the space is tried or on its way.
  bool exhausted() const { return exhausted_; }
  /// Nothing is left to be done: all results are there, or more trials failed than may.
  bool over() const;

  /// @throws Error{input} for an event that cannot come now: it is not of this run
  void apply(const Event& event);

  const SchedulerOptions& options() const { return options_; }
  /// What counts, in its order.
  const std::vector<Trial>& finished() const { return finished_; }
  Index proposed() const { return std::ssize(trials_); }
  Index running() const { return running_; }
  Index failures() const { return failures_; }
  bool too_many_failures() const { return options_.max_failures && failures_ > *options_.max_failures; }
  /// Index in finished() of the least value among those whose reported constraints hold, −1 if there is none.
  Index best() const { return best_; }
  const Point& point(Index number) const { return at(number).point; }
  const nlohmann::ordered_json& why(Index number) const { return at(number).why; }
  /// The attempt of a trial that is running now.
  std::optional<Index> running_attempt(Index number) const;
  /// Attempts after the first that a loss or a crash led to.
  Index retries(Index number) const { return at(number).retries; }

 private:
  enum class Stage { waiting, running, done };
  struct State {
    Point point;
    nlohmann::ordered_json why;
    Index known = 0;
    Stage stage = Stage::waiting;
    Index attempt = 0;  // the next one, or the one that runs
    Index retries = 0;
    TrialResult result = {};
  };

  const State& at(Index number) const { return trials_.at(static_cast<std::size_t>(number)); }
  State& of_event(Index number);
  Index known_to_next() const;
  void take(const ProposeEvent& event);
  void take(const StartEvent& event);
  void take(const ResultEvent& event);
  void begin_session();
  void count(Index number);

  SchedulerOptions options_;
  std::vector<State> trials_;  // by number
  std::vector<Trial> finished_;
  std::vector<PendingTrial> all_points_;  // of Schedule::blind: the points before are known, their values are not
  Index next_to_count_ = 0;               // where the order of numbers rules
  Index first_waiting_ = 0;               // no trial before it waits
  Index waiting_ = 0;
  Index running_ = 0;
  Index failures_ = 0;
  Index best_ = -1;
  bool exhausted_ = false;
};

}  // namespace tempera
