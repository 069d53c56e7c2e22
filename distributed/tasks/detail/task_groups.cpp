#include "distributed/tasks/detail/task_groups.hpp"

#include <chrono>
#include <numeric>
#include <utility>
#include <vector>

#include "distributed/communicator/collectively.hpp"
#include "distributed/communicator/objects.hpp"

namespace tempera::detail {

TaskReport TaskGroups::perform(RankSpan ranks, std::string order) {
  using Clock = std::chrono::steady_clock;
  const Communicator& group = communicator(ranks);
  const auto begin = Clock::now();
  TaskReport report;
  try {
    report.result = collectively(group, [&] {
      if (group.size() > 1) group.broadcast_object(order, 0);
      return work_(order, group);
    });
  } catch (const Error& error) {
    report = TaskReport::failure(error);
  }
  report.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return report;
}

const Communicator& TaskGroups::communicator(RankSpan ranks) {
  const auto known = communicators_.find(ranks);
  if (known != communicators_.end()) return known->second;
  std::vector<int> list(static_cast<std::size_t>(ranks.count));
  std::iota(list.begin(), list.end(), ranks.first);
  return communicators_.emplace(ranks, world_.select_independent(list)).first->second;
}

void TaskGroups::forget(std::span<const RankSpan> groups) {
  for (const RankSpan group : groups) communicators_.erase(group);
}

}  // namespace tempera::detail
