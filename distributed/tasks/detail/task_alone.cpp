#include "distributed/tasks/detail/task_alone.hpp"

#include <fmt/format.h>
#include <time.h>

#include <iterator>
#include <utility>

namespace tempera::detail {

namespace {

constexpr double kPause = 0.002;  // between two questions to a source that has nothing yet
constexpr RankSpan kThisRank{0, 1};

void rest(double seconds) {
  const timespec pause{0, static_cast<long>(1e9 * seconds)};
  ::nanosleep(&pause, nullptr);
}

}  // namespace

void TaskAlone::run() {
  for (;;) {
    ask_source();
    if (flow_ >= TaskFlow::stopping || (waiting_.empty() && flow_ == TaskFlow::finished)) return;
    if (waiting_.empty()) {
      rest(kPause);
      continue;
    }
    Task task = std::move(waiting_.front());
    waiting_.pop_front();
    perform(std::move(task));
  }
}

void TaskAlone::ask_source() {
  for (Task& task : source_.ready()) {
    if (task.ranks > worker_ranks(1) || task.ranks < 0)
      throw Error(Category::usage, "", fmt::format("task {} wants {} ranks; there is one", task.number, task.ranks),
                  "start the job with more ranks");
    waiting_.push_back(std::move(task));
  }
  flow_ = source_.flow();
}

void TaskAlone::perform(Task task) {
  source_.begun(task.number, kThisRank, now());
  const TaskReport report = task.is_child ? child_report(task) : groups_.perform(kThisRank, std::move(task.order));
  source_.ended(task.number, report, now());
}

TaskReport TaskAlone::child_report(const Task& task) {
  child_.begin(task.number, task.order, kThisRank);
  for (;;) {
    if (auto report = child_.poll()) return *report;
    ask_source();
    if (flow_ == TaskFlow::cancelling) return child_.cancel();
    rest(child_.pause());
  }
}

}  // namespace tempera::detail
