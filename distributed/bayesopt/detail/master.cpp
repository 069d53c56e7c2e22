#include "distributed/bayesopt/detail/master.hpp"

#include <fmt/format.h>
#include <time.h>

#include <numeric>

#include "distributed/bayesopt/ask_tell.hpp"
#include "distributed/bayesopt/detail/messages.hpp"

namespace tempera::detail {

namespace {

constexpr double kPause = 0.001;                 // seconds between two looks at trials of this rank
constexpr double kLongPause = 0.02;              // between two looks for a signal
constexpr auto kLook = std::chrono::seconds(1);  // at the folder and the disk

void rest(double seconds) {
  const timespec pause{0, static_cast<long>(1e9 * seconds)};
  ::nanosleep(&pause, nullptr);
}

Index sum(const std::vector<Index>& values) {
  return std::accumulate(values.begin(), values.end(), Index{0});
}

}  // namespace

Master::Master(Courier& courier, const RankLayout& layout, std::vector<Index> slots, const Space& space,
               Proposer& proposer, Evaluator& local, const OptimizationOptions& options,
               const OptimizationObserver& observer)
    : courier_(courier),
      layout_(layout),
      local_(local),
      options_(options),
      observer_(observer),
      record_(space, options),
      scheduler_(record_.scheduler()),
      pacing_(sum(slots), proposer.is_quick()),
      present_(static_cast<int>(slots.size()) - 1) {
  const bool learns = options.scheduler.schedule != Schedule::blind;
  std::vector<int> model;
  for (int rank = 0; rank < layout.ranks(); ++rank)
    if (layout.role(rank) == RankRole::model) model.push_back(rank);
  if (learns && !model.empty())
    next_ = std::make_unique<ProposingElsewhere>(courier, std::move(model));
  else
    next_ = std::make_unique<ProposingHere>(proposer, learns && (present_ > 0 || slots.front() > 1));
  for (std::size_t rank = 0; rank < slots.size(); ++rank)
    rank_of_worker_.insert(rank_of_worker_.end(), static_cast<std::size_t>(slots[rank]), static_cast<int>(rank));
  for (Index worker = 0; worker < std::ssize(rank_of_worker_); ++worker) free_.insert(worker);
  for (const JournalEntry& entry : record_.entries()) pacing_.take(entry.event);
  if (observer_.resumed) observer_.resumed(scheduler_, record_.seconds_before());
}

void Master::record(Event event) {
  const std::size_t counted = scheduler_.finished().size();
  pacing_.take(event);
  record_.record(std::move(event));
  if (observer_.counted)
    for (std::size_t k = counted; k < scheduler_.finished().size(); ++k)
      observer_.counted(scheduler_, scheduler_.finished()[k]);
}

void Master::run() {
  record(SessionEvent{std::ssize(rank_of_worker_)});
  while (!scheduler_.over()) {
    if (observer_.stop_requested && observer_.stop_requested()) stop_ = true;
    if (stop_) break;
    look_after_files();
    if (!take_local() && !take_message(0) && !hand_out() && !take_proposal() && !begin_proposal()) wait();
  }
  leave();
}

/// Where several trials of this rank run elsewhere, or one has to be computed right here.
bool Master::take_local() {
  if (local_running_ == 0) return false;
  const auto answer = local_.poll();
  if (!answer) return false;
  --local_running_;
  take_answer(*answer);
  return true;
}

bool Master::take_message(double wait) {
  if (present_ == 0) {
    if (wait > 0) rest(wait);
    return false;
  }
  const auto message = courier_.wait_for(wait);
  if (!message) return false;
  const Message content = message_from_text(message->text);
  if (const auto* answer = std::get_if<TrialAnswer>(&content)) take_answer(*answer);
  if (const auto* proposal = std::get_if<ModelAnswer>(&content)) next_->arrived(*proposal);
  if (std::holds_alternative<StopWishMessage>(content)) stop_ = true;
  if (std::holds_alternative<LeaveMessage>(content)) --present_;
  return true;
}

void Master::take_answer(const TrialAnswer& answer) {
  free_.insert(worker_of_number_.at(static_cast<std::size_t>(answer.number)));
  record(ResultEvent{answer.number, answer.attempt, answer.result});
}

bool Master::hand_out() {
  if (free_.empty()) return false;
  const Index worker = *free_.begin();
  const auto start = scheduler_.next_start(worker);
  if (!start) return false;
  record(*start);
  free_.erase(worker);
  worker_of_number_.resize(static_cast<std::size_t>(scheduler_.proposed()), -1);
  worker_of_number_[static_cast<std::size_t>(start->number)] = worker;
  const TrialRequest request{start->number, start->attempt, seed_of_trial(options_.seed, start->number),
                             scheduler_.point(start->number)};
  const int rank = rank_of_worker_[static_cast<std::size_t>(worker)];
  if (rank == 0) {
    local_.begin(request);
    ++local_running_;
  } else {
    courier_.send(rank, to_text(request));
  }
  return true;
}

/// A worker that is free does not wait for anything but its point, and gets one that was prepared while the next is being made.
bool Master::begin_proposal() {
  if (next_->running()) return false;
  if (!(!free_.empty() && scheduler_.can_propose()) && !pacing_.wants_more(scheduler_)) return false;
  proposing_ = scheduler_.next_proposal();
  proposing_from_ = Clock::now();
  next_->begin(scheduler_.basis_of(proposing_));
  return true;
}

bool Master::take_proposal() {
  auto proposal = next_->take();
  if (!proposal) return false;
  proposing_.point = std::move(proposal->point);
  proposing_.why = std::move(proposal->why);
  proposing_.proposing_seconds = std::chrono::duration<double>(Clock::now() - proposing_from_).count();
  record(std::move(proposing_));
  return true;
}

void Master::wait() {
  take_message(local_running_ > 0 || next_->running() ? kPause : kLongPause);
}

void Master::look_after_files() {
  const auto now = Clock::now();
  if (now - last_look_ < kLook) return;
  last_look_ = now;
  if (observer_.folder_was_lost && observer_.folder_was_lost(scheduler_)) record_.restore();
  record_.begin_sync();
}

/// Results that come until the last rank has left count as well.
void Master::leave() {
  for (const int rank : layout_.inferiors(0)) courier_.send(rank, to_text(LeaveMessage{}));
  local_.cancel();
  next_->finish();
  while (present_ > 0) take_message(kLongPause);
  stop_ = stop_ && !scheduler_.over();
  record(StopEvent{stop_                            ? "request"
                   : scheduler_.too_many_failures() ? "failures"
                   : scheduler_.exhausted()         ? "space"
                                                    : "budget"});
  record_.sync();
}

OptimizationResult Master::result() {
  return {stop_, scheduler_, record_.entries(), worker_use(record_.entries()), record_.seconds()};
}

}  // namespace tempera::detail
