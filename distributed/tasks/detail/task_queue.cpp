#include "distributed/tasks/detail/task_queue.hpp"

#include <utility>

#include "core/base/contract.hpp"

namespace tempera::detail {

void TaskQueue::add(Task task) {
  const int ranks = task.ranks;
  if (task.is_child && ranks == 1) children_.insert(arrivals_);
  by_size_[ranks].emplace(arrivals_++, std::move(task));
}

std::size_t TaskQueue::count(int ranks) const {
  const auto tasks = by_size_.find(ranks);
  return tasks == by_size_.end() ? 0 : tasks->second.size();
}

std::vector<int> TaskQueue::sizes() const {
  std::vector<int> sizes;
  for (const auto& [ranks, tasks] : by_size_)
    if (ranks != kAllRanks) sizes.push_back(ranks);
  return sizes;
}

Task TaskQueue::pop(int ranks) {
  TEMPERA_EXPECTS(count(ranks) > 0);
  return take(ranks, by_size_.at(ranks).begin());
}

std::optional<Task> TaskQueue::pop_child() {
  if (children_.empty()) return std::nullopt;
  return take(1, by_size_.at(1).find(*children_.begin()));
}

Task TaskQueue::take(int ranks, Tasks::iterator task) {
  Task taken = std::move(task->second);
  if (ranks == 1) children_.erase(task->first);
  Tasks& tasks = by_size_.at(ranks);
  tasks.erase(task);
  if (tasks.empty()) by_size_.erase(ranks);
  return taken;
}

void TaskQueue::clear() {
  by_size_.clear();
  children_.clear();
}

}  // namespace tempera::detail
