#include "distributed/bayesopt/scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"

namespace tempera {

namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw Error(Category::input, "", what, "the journal is of another run, or of another version of tempera");
}

/// The constraints that a trial reports hold if they are ≤ 0.
bool is_feasible(const TrialResult& result) {
  return std::all_of(result.constraints.begin(), result.constraints.end(),
                     [](const auto& constraint) { return constraint.second <= 0; });
}

bool may_be_retried(TrialStatus status) {
  return status == TrialStatus::lost || status == TrialStatus::crashed;
}

}  // namespace

Scheduler::Scheduler(SchedulerOptions options) : options_(options) {
  TEMPERA_EXPECTS(options_.budget >= 1 && options_.batch >= 1);
}

/// How many of finished() the next proposal may know. In a batch run it is a matter of the number alone: a run that is
/// extended within a batch proposes what a longer one would have.
Index Scheduler::known_to_next() const {
  switch (options_.schedule) {
    case Schedule::async: return std::ssize(finished_);
    case Schedule::batch: return proposed() / options_.batch * options_.batch;
    case Schedule::blind: break;
  }
  return 0;
}

bool Scheduler::can_propose() const {
  return proposed() < options_.budget && !exhausted_ && !too_many_failures() && known_to_next() <= std::ssize(finished_);
}

ProposeEvent Scheduler::next_proposal() const {
  TEMPERA_EXPECTS(can_propose());
  ProposeEvent event;
  event.number = proposed();
  event.known = known_to_next();
  if (options_.schedule == Schedule::blind) return event;  // all points before are known, and no value
  const bool batch = options_.schedule == Schedule::batch;
  for (Index number = batch ? event.known : 0; number < proposed(); ++number)
    if (batch || at(number).stage != Stage::done) event.pending.push_back(number);
  return event;
}

ProposalBasis Scheduler::basis_of(const ProposeEvent& event) const {
  ProposalBasis basis{event.number, {finished_.begin(), finished_.begin() + event.known}, {}};
  if (options_.schedule == Schedule::blind)
    basis.pending.assign(all_points_.begin(), all_points_.begin() + event.number);
  for (const Index number : event.pending) basis.pending.push_back({number, at(number).point});
  return basis;
}

ProposeEvent Scheduler::propose(Proposer& proposer) const {
  ProposeEvent event = next_proposal();
  const ProposalBasis basis = basis_of(event);
  Proposal proposal = proposer.propose(event.number, basis.finished, basis.pending);
  event.point = std::move(proposal.point);
  event.why = std::move(proposal.why);
  return event;
}

std::optional<StartEvent> Scheduler::next_start(Index worker) const {
  if (waiting_ == 0 || too_many_failures()) return std::nullopt;
  for (Index number = first_waiting_; number < proposed(); ++number)
    if (at(number).stage == Stage::waiting) return StartEvent{number, at(number).attempt, worker};
  return std::nullopt;
}

std::optional<Index> Scheduler::running_attempt(Index number) const {
  if (number < 0 || number >= proposed() || at(number).stage != Stage::running) return std::nullopt;
  return at(number).attempt;
}

bool Scheduler::over() const {
  return too_many_failures() || std::ssize(finished_) >= options_.budget ||
         (exhausted_ && std::ssize(finished_) == proposed());
}

void Scheduler::apply(const Event& event) {
  if (std::holds_alternative<SessionEvent>(event)) begin_session();
  if (const auto* propose = std::get_if<ProposeEvent>(&event)) take(*propose);
  if (const auto* start = std::get_if<StartEvent>(&event)) take(*start);
  if (const auto* result = std::get_if<ResultEvent>(&event)) take(*result);
}

Scheduler::State& Scheduler::of_event(Index number) {
  if (number < 0 || number >= proposed()) refuse(fmt::format("trial {} was never proposed", number));
  return trials_[static_cast<std::size_t>(number)];
}

void Scheduler::take(const ProposeEvent& event) {
  if (event.number != proposed()) refuse(fmt::format("proposal {} comes where {} should", event.number, proposed()));
  exhausted_ = event.point.empty();
  if (exhausted_) return;
  trials_.push_back({event.point, event.why, event.known});
  if (options_.schedule == Schedule::blind) all_points_.push_back({event.number, event.point});
  ++waiting_;
}

void Scheduler::take(const StartEvent& event) {
  State& trial = of_event(event.number);
  if (trial.stage != Stage::waiting || event.attempt != trial.attempt)
    refuse(fmt::format("attempt {} of trial {} cannot begin", event.attempt, event.number));
  trial.stage = Stage::running;
  --waiting_;
  ++running_;
  if (event.number == first_waiting_) ++first_waiting_;
}

void Scheduler::take(const ResultEvent& event) {
  State& trial = of_event(event.number);
  if (trial.stage != Stage::running || event.attempt != trial.attempt)
    refuse(fmt::format("attempt {} of trial {} does not run", event.attempt, event.number));
  --running_;
  trial.result = event.result;
  if (may_be_retried(event.result.status) && trial.retries < options_.max_retries) {
    ++trial.retries;
    ++trial.attempt;
    trial.stage = Stage::waiting;
    ++waiting_;
    first_waiting_ = std::min(first_waiting_, event.number);
    return;
  }
  trial.stage = Stage::done;
  if (options_.schedule == Schedule::async) {
    count(event.number);
    return;
  }
  while (next_to_count_ < proposed() && at(next_to_count_).stage == Stage::done) count(next_to_count_++);
}

void Scheduler::count(Index number) {
  if (too_many_failures()) return;
  const State& trial = at(number);
  const bool ok = trial.result.status == TrialStatus::ok;
  if (!ok) ++failures_;
  if (ok && is_feasible(trial.result) &&
      (best_ < 0 || trial.result.value < finished_[static_cast<std::size_t>(best_)].result.value))
    best_ = std::ssize(finished_);
  finished_.push_back({number, trial.point, trial.result, trial.known});
}

void Scheduler::begin_session() {
  for (Index number = proposed() - 1; number >= 0; --number) {
    State& trial = trials_[static_cast<std::size_t>(number)];
    if (trial.stage != Stage::running) continue;
    trial.stage = Stage::waiting;
    ++trial.attempt;
    ++waiting_;
    --running_;
    first_waiting_ = std::min(first_waiting_, number);
  }
}

}  // namespace tempera
