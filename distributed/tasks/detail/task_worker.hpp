#pragma once

#include <chrono>
#include <deque>

#include "distributed/communicator/courier.hpp"
#include "distributed/communicator/stop_request.hpp"
#include "distributed/tasks/detail/child_slot.hpp"
#include "distributed/tasks/detail/task_groups.hpp"
#include "distributed/tasks/detail/task_letters.hpp"

namespace tempera::detail {

/// A rank other than 0: does what it is summoned to, one task after the other, until it is told to leave.
class TaskWorker {
 public:
  /// @param courier, groups, children, signals  outlive this
  TaskWorker(int rank, Courier& courier, TaskGroups& groups, ChildTasks* children, const StopRequest* signals)
      : rank_(rank), courier_(courier), groups_(groups), child_(children), signals_(signals) {}

  void serve();

 private:
  void take_letters();
  void take(TaskLetter letter);
  void begin_next();
  void report(Index number, TaskReport report);
  void tell_of_signal();
  bool is_to_stop();

  int rank_;
  Courier& courier_;
  TaskGroups& groups_;
  ChildSlot child_;
  std::deque<TaskSummons> summoned_;
  bool rested_ = false;  ///< nothing has come for some time
  bool leaves_ = false;
  const StopRequest* signals_;
  std::chrono::steady_clock::time_point looked_;  ///< for letters, in the middle of a task
  bool stops_ = false;                            ///< the master said so
  bool wished_ = false;                           ///< the master knows of a signal here
};

}  // namespace tempera::detail
