#pragma once

#include <optional>
#include <string>

#include "distributed/tasks/task.hpp"

namespace tempera {

/// Tasks that are child processes of a rank, one at a time, while the rank itself goes on: the master answers
/// letters. What these functions throw becomes the report of the task.
class ChildTasks {
 public:
  virtual ~ChildTasks() = default;
  /// @param ranks  whose place it may use; the first one is this rank
  virtual void begin(const std::string& order, RankSpan ranks) = 0;
  /// How it ended, once it has; does not wait. The master counts the seconds.
  virtual std::optional<TaskReport> poll() = 0;
  /// Ends it, and returns when it is gone; nothing is polled any more. Not called when none runs.
  virtual void cancel() = 0;
};

}  // namespace tempera
