#pragma once

#include <chrono>
#include <deque>

#include "distributed/tasks/detail/child_slot.hpp"
#include "distributed/tasks/detail/task_groups.hpp"

namespace tempera::detail {

/// The rank of a job that has only one: does the tasks itself, one by one, in the order of the source.
class TaskAlone {
 public:
  /// @param source, groups, children  outlive this
  TaskAlone(TaskSource& source, TaskGroups& groups, ChildTasks* children)
      : source_(source), groups_(groups), child_(children) {}

  void run();

 private:
  using Clock = std::chrono::steady_clock;

  void ask_source();
  void perform(Task task);
  TaskReport child_report(const Task& task);
  double now() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  Clock::time_point start_ = Clock::now();
  TaskSource& source_;
  TaskGroups& groups_;
  ChildSlot child_;
  std::deque<Task> waiting_;
  TaskFlow flow_ = TaskFlow::open;
};

}  // namespace tempera::detail
