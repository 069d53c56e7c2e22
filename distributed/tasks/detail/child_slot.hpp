#pragma once

#include <chrono>
#include <optional>

#include "distributed/tasks/child_tasks.hpp"

namespace tempera::detail {

/// Room for one child process on this rank. What runs at its end is cancelled.
class ChildSlot {
 public:
  /// @param children  outlives this; null: every task fails
  explicit ChildSlot(ChildTasks* children) : children_(children) {}
  ~ChildSlot();
  ChildSlot(const ChildSlot&) = delete;
  ChildSlot& operator=(const ChildSlot&) = delete;

  /// @pre !is_busy()
  void begin(Index number, const std::string& order, RankSpan ranks);
  bool is_busy() const { return number_.has_value(); }
  /// @pre is_busy()
  Index number() const { return *number_; }
  /// How the task ended, once; then the slot is free. @pre is_busy()
  std::optional<TaskReport> poll();
  /// Ends it at once. @pre is_busy()
  TaskReport cancel();
  /// Seconds that may pass between two polls: a fiftieth of what it has lasted, 1 to 20 ms.
  double pause() const;

 private:
  double seconds() const;
  TaskReport finished(TaskReport report);

  ChildTasks* children_;
  std::optional<Index> number_;
  std::optional<TaskReport> failed_;  ///< it never began
  std::chrono::steady_clock::time_point begun_{};
};

}  // namespace tempera::detail
