#pragma once

#include <map>
#include <span>

#include "distributed/communicator/communicator.hpp"
#include "distributed/tasks/run_tasks.hpp"

namespace tempera::detail {

/// What a rank does together with others: their communicators, and tasks on them.
class TaskGroups {
 public:
  /// @param work  outlives this
  TaskGroups(Communicator world, const TaskWork& work) : world_(std::move(world)), work_(work) {}

  /// Does a task with the other ranks of the group, which do the same. Collective over these.
  /// @param order  of the first rank; the others are told by it
  TaskReport perform(RankSpan ranks, std::string order);
  void forget(std::span<const RankSpan> groups);

 private:
  const Communicator& communicator(RankSpan ranks);

  Communicator world_;
  const TaskWork& work_;
  std::map<RankSpan, Communicator> communicators_;
};

}  // namespace tempera::detail
