#pragma once

#include <string>
#include <variant>
#include <vector>

#include "distributed/tasks/task.hpp"

namespace tempera::detail {

/// From the master to a rank: a task to be done with the other ranks of `ranks`, after those that came before.
struct TaskSummons {
  Index number = 0;
  RankSpan ranks;
  bool is_child = false;
  std::string order = {};             ///< to the first of the ranks, who tells the others
  std::vector<RankSpan> forget = {};  ///< groups whose communicators are not used any more
};
/// From the master: the task shall not begin, if it has not.
struct TaskRecall {
  Index number = 0;
};
/// From the master: its child process shall end.
struct TaskCancel {
  Index number = 0;
};
/// From the master: nothing follows.
struct TaskLeave {};
/// From the master: whatever runs shall come to an end soon, as after a signal.
struct TaskStop {};
/// From a rank: it got a signal.
struct TaskStopWish {};
/// From the first rank of a task.
struct TaskEnded {
  Index number = 0;
  TaskReport report;
};
/// From a rank: the task was recalled and has not begun.
struct TaskReturned {
  Index number = 0;
};
using TaskLetter =
    std::variant<TaskSummons, TaskRecall, TaskCancel, TaskLeave, TaskEnded, TaskReturned, TaskStop, TaskStopWish>;

/// As Boost.Serialization writes them, after a byte that says which one it is.
std::string to_text(const TaskLetter& letter);
TaskLetter task_letter(const std::string& text);

}  // namespace tempera::detail
