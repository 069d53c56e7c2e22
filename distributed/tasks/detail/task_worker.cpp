#include "distributed/tasks/detail/task_worker.hpp"

#include <utility>

#include "distributed/tasks/detail/listening.hpp"

namespace tempera::detail {

namespace {
constexpr int kMaster = 0;
// Soon after a task the next one is probable.
constexpr double kIdle = 0.5, kLongIdle = 5;  // seconds of waiting for a letter
constexpr double kLook = 0.25;                // the same where signals are looked for
constexpr std::chrono::milliseconds kLookInTask{10};
constexpr Patience kAtFirst{.eager = 0.0003, .longest_nap = 0.0005}, kLater{.longest_nap = 0.003};
}  // namespace

void TaskWorker::serve() {
  const Listening listening(signals_, [this] { return is_to_stop(); });
  while (!leaves_) {
    tell_of_signal();
    take_letters();
    if (child_.is_busy()) {
      const Index number = child_.number();
      if (auto ended = child_.poll()) report(number, std::move(*ended));
    } else if (!summoned_.empty()) {
      begin_next();
    }
  }
}

void TaskWorker::tell_of_signal() {
  if (wished_ || signals_ == nullptr || !signals_->local()) return;
  wished_ = true;
  if (!stops_) courier_.send(kMaster, to_text(TaskStopWish{}));
}

/// Asked in the middle of a task by those who ask for signals there.
bool TaskWorker::is_to_stop() {
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_ < kLookInTask) return stops_;
  looked_ = now;
  while (const auto message = courier_.poll()) take(task_letter(message->text));
  return stops_;
}

/// All that are there, so that a recall is seen before the task that it is about.
void TaskWorker::take_letters() {
  const bool has_work = !child_.is_busy() && !summoned_.empty();
  const auto idle = [this] { return signals_ != nullptr ? kLook : rested_ ? kLongIdle : kIdle; };
  auto message = has_work           ? courier_.poll()
                 : child_.is_busy() ? courier_.wait_for(child_.pause(), {.longest_nap = child_.pause()})
                                    : courier_.wait_for(idle(), rested_ ? kLater : kAtFirst);
  if (!message) rested_ = !has_work;
  for (; message; message = courier_.poll()) {
    rested_ = false;
    take(task_letter(message->text));
  }
}

void TaskWorker::take(TaskLetter letter) {
  if (auto* summons = std::get_if<TaskSummons>(&letter)) {
    groups_.forget(summons->forget);
    summoned_.push_back(std::move(*summons));
  } else if (const auto* recall = std::get_if<TaskRecall>(&letter)) {
    const auto is_it = [&](const TaskSummons& task) { return task.number == recall->number; };
    if (std::erase_if(summoned_, is_it) > 0) courier_.send(kMaster, to_text(TaskReturned{recall->number}));
  } else if (const auto* cancel = std::get_if<TaskCancel>(&letter)) {
    if (child_.is_busy() && child_.number() == cancel->number) report(cancel->number, child_.cancel());
  } else if (std::holds_alternative<TaskLeave>(letter)) {
    leaves_ = true;
  } else if (std::holds_alternative<TaskStop>(letter)) {
    stops_ = true;
  }
}

void TaskWorker::begin_next() {
  TaskSummons task = std::move(summoned_.front());
  summoned_.pop_front();
  if (task.is_child) {
    child_.begin(task.number, task.order, task.ranks);
    return;
  }
  TaskReport outcome = groups_.perform(task.ranks, std::move(task.order));
  if (task.ranks.first == rank_) report(task.number, std::move(outcome));
}

void TaskWorker::report(Index number, TaskReport report) {
  courier_.send(kMaster, to_text(TaskEnded{number, std::move(report)}));
}

}  // namespace tempera::detail
