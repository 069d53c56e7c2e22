#include "distributed/tasks/detail/task_master.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/contract.hpp"
#include "distributed/tasks/detail/listening.hpp"

namespace tempera::detail {

namespace {

constexpr std::size_t kGroupsOfARank = 16;
constexpr double kLook = 0.05;  // seconds between two questions to the source
// Naps are this part of the time since the last letter: waiting for an answer then costs little beside the tasks.
constexpr double kShareOfNap = 0.02, kShortestNap = 0.0002, kLongestNap = 0.0007, kLongestIdleNap = 0.003;
constexpr double kQuiet = 3;             // seconds after which nobody is in a hurry
constexpr double kShortTask = 0.03;      // below, a rank gets its next one ahead
constexpr std::size_t kWaitingEach = 8;  // and only if so many wait for each rank: it may wait behind a long one
constexpr double kNewest = 0.125;        // weight of the newest time in the usual one

}  // namespace

TaskMaster::TaskMaster(int ranks, Courier& courier, TaskSource& source, TaskGroups& groups, ChildTasks* children,
                       const StopRequest* signals)
    : ranks_(ranks),
      courier_(courier),
      source_(source),
      groups_(groups),
      child_(children),
      packing_({1, ranks - 1}),
      book_(ranks, kGroupsOfARank),
      signals_(signals) {
  TEMPERA_EXPECTS(ranks >= 2);
}

void TaskMaster::run() {
  const Listening listening(signals_, [this] { return wished_; });
  for (;;) {
    ask_source();
    if (flow_ == TaskFlow::cancelling) {
      pass_on_request();
      cancel_children();
    }
    if (flow_ >= TaskFlow::stopping)
      stop();
    else
      hand_out();
    if (is_over()) break;
    take_letters();
    if (child_.is_busy()) {
      const Index number = child_.number();
      if (const auto report = child_.poll()) ended(number, *report);
    }
  }
  for (int rank = 1; rank < ranks_; ++rank) courier_.send(rank, to_text(TaskLeave{}));
}

void TaskMaster::ask_source() {
  for (Task& task : source_.ready()) {
    if (task.ranks > packing_.ranks() || task.ranks < 0)
      throw Error(Category::usage, "",
                  fmt::format("task {} wants {} ranks besides the master; there are {}", task.number, task.ranks,
                              packing_.ranks()),
                  "start the job with more ranks");
    queue_.add(std::move(task));
  }
  flow_ = source_.flow();
}

bool TaskMaster::is_over() const {
  return running_.empty() && ahead_.empty() && queue_.empty() && flow_ != TaskFlow::open;
}

/// What waits is dropped; what was sent ahead comes back unless it has begun.
void TaskMaster::stop() {
  queue_.clear();
  if (stopped_) return;
  stopped_ = true;
  for (const auto& [rank, number] : ahead_) courier_.send(rank, to_text(TaskRecall{number}));
}

/// A signal may have come to some ranks only.
void TaskMaster::pass_on_request() {
  if (std::exchange(passed_on_, true)) return;
  for (int rank = 1; rank < ranks_; ++rank) courier_.send(rank, to_text(TaskStop{}));
}

/// Those of other ranks first, as the end of one takes its time.
void TaskMaster::cancel_children() {
  for (auto& [number, task] : running_) {
    if (!task.is_child || task.is_cancelled || (child_.is_busy() && child_.number() == number)) continue;
    courier_.send(task.ranks.first, to_text(TaskCancel{number}));
    task.is_cancelled = true;
  }
  if (!child_.is_busy()) return;
  const Index number = child_.number();
  ended(number, child_.cancel());
}

void TaskMaster::hand_out() {
  while (queue_.count(kAllRanks) > 0) {
    if (!running_.empty()) return;  // for this one everything else has to end first
    run_alone();
    ask_source();
    if (flow_ >= TaskFlow::stopping) return;
  }
  if (!child_.is_busy())
    if (auto task = queue_.pop_child()) {
      began(task->number, {0, 1}, true);
      child_.begin(task->number, task->order, {0, 1});
    }
  bool kept = false;
  for (const int size : queue_.sizes()) {
    while (queue_.count(size) > 0) {
      const auto ranks = packing_.take(size);
      if (!ranks) break;
      begin(queue_.pop(size), *ranks);
    }
    if (queue_.count(size) == 0 || kept || size == 1) continue;
    packing_.keep(size);
    kept = true;
  }
  if (!kept) packing_.let_go();
}

void TaskMaster::run_alone() {
  Task task = queue_.pop(kAllRanks);
  const RankSpan all{0, ranks_};
  began(task.number, all, task.is_child);
  if (task.is_child) {
    packing_.take(packing_.ranks());
    child_.begin(task.number, task.order, all);
    return;
  }
  book_.use(all);
  for (int rank = 1; rank < ranks_; ++rank) summon(rank, task, all);
  groups_.forget(book_.take_forgotten(0));
  ended(task.number, groups_.perform(all, std::move(task.order)));
}

void TaskMaster::begin(Task task, RankSpan ranks) {
  began(task.number, ranks, task.is_child);
  if (!task.is_child) book_.use(ranks);
  for (int rank = ranks.first; rank < (task.is_child ? ranks.first + 1 : ranks.end()); ++rank)
    summon(rank, task, ranks);
  if (ranks.count == 1 && !task.is_child) send_ahead(ranks.first);
}

void TaskMaster::summon(int rank, const Task& task, RankSpan ranks) {
  TaskSummons summons{task.number, ranks, task.is_child, {}, book_.take_forgotten(rank)};
  if (rank == ranks.first) summons.order = task.order;
  courier_.send(rank, to_text(summons));
}

/// While the usual task is so short that the way to the master and back counts. Long ones are kept here, for whoever
/// is free.
void TaskMaster::send_ahead(int rank) {
  if (usual_seconds_.value_or(kShortTask) >= kShortTask || packing_.is_kept(rank) || flow_ >= TaskFlow::stopping)
    return;
  if (queue_.count(1) < kWaitingEach * static_cast<std::size_t>(packing_.ranks()) || queue_.is_child(1)) return;
  if (queue_.count(kAllRanks) > 0) return;
  const Task task = queue_.pop(1);
  const RankSpan ranks{rank, 1};
  book_.use(ranks);
  summon(rank, task, ranks);
  ahead_.emplace(rank, task.number);
}

void TaskMaster::began(Index number, RankSpan ranks, bool is_child) {
  running_.emplace(number, Running{ranks, is_child});
  source_.begun(number, ranks, now());
}

void TaskMaster::ended(Index number, const TaskReport& report) {
  const Running task = running_.at(number);
  running_.erase(number);
  const auto next = task.ranks.count == 1 ? ahead_.find(task.ranks.first) : ahead_.end();
  const bool goes_on = next != ahead_.end() && !stopped_;  // what is recalled may have begun or not: the rank will say
  const Index follower = next != ahead_.end() ? next->second : 0;
  source_.ended(number, report, now());
  if (goes_on) {
    ahead_.erase(next);
    began(follower, task.ranks, false);
    send_ahead(task.ranks.first);
  } else if (stopped_) {
    return;  // nobody asks any more who is idle
  } else if (!task.ranks.contains(0)) {
    packing_.give_back(task.ranks);
  } else if (task.ranks.count > 1 && task.is_child) {
    packing_.give_back({1, packing_.ranks()});
  }
}

/// A recalled task that ends had begun before the letter came.
void TaskMaster::began_after_all(Index number) {
  const auto task = std::ranges::find(ahead_, number, &std::map<int, Index>::value_type::second);
  if (task == ahead_.end()) return;
  const RankSpan ranks{task->first, 1};
  ahead_.erase(task);
  began(number, ranks, false);
}

void TaskMaster::take_letters() {
  const double quiet = now() - last_letter_;
  const double nap = std::clamp(kShareOfNap * quiet, kShortestNap, quiet < kQuiet ? kLongestNap : kLongestIdleNap);
  auto message =
      courier_.wait_for(child_.is_busy() ? child_.pause() : kLook, {.shortest_nap = nap / 4, .longest_nap = nap});
  if (message) last_letter_ = now();
  while (message) {
    take(task_letter(message->text));
    message = courier_.poll();
  }
}

void TaskMaster::take(const TaskLetter& letter) {
  if (const auto* done = std::get_if<TaskEnded>(&letter)) {
    began_after_all(done->number);
    if (!running_.at(done->number).is_child)
      usual_seconds_ =
          usual_seconds_ ? *usual_seconds_ + kNewest * (done->report.seconds - *usual_seconds_) : done->report.seconds;
    ended(done->number, done->report);
  } else if (const auto* returned = std::get_if<TaskReturned>(&letter)) {
    std::erase_if(ahead_, [&](const auto& next) { return next.second == returned->number; });
  } else if (std::holds_alternative<TaskStopWish>(letter)) {
    wished_ = true;
  }
}

}  // namespace tempera::detail
