#pragma once

#include <string>

#include "core/base/error.hpp"
#include "core/base/index.hpp"
#include "distributed/communicator/blob.hpp"
#include "distributed/tasks/rank_span.hpp"

namespace tempera {

/// Ranks of a task that runs alone on all ranks of the job, the master among them.
constexpr int kAllRanks = 0;

/// Ranks of a job that tasks with a count of ranks run on: all but the master; the one there is if it is alone.
constexpr int worker_ranks(int ranks) {
  return ranks > 1 ? ranks - 1 : 1;
}

/// Something that a group of ranks can do now.
struct Task {
  Index number = 0;        ///< by which its source knows it
  int ranks = 1;           ///< so many neighbouring worker ranks, or kAllRanks
  bool is_child = false;   ///< a child process does it (ChildTasks), so that the master can have it done too
  std::string order = {};  ///< what to do, bytes that those who do it understand (to_blob)
};

enum class TaskStatus { done, failed, cancelled };

/// How a task ended.
struct TaskReport {
  TaskStatus status = TaskStatus::done;
  std::string result = {};                    ///< what the first rank of its group returned; only if done
  Category category = Category::environment;  ///< with the next three the Error that it failed with
  std::string where = {}, what_is_wrong = {}, hint = {};
  double seconds = 0;  ///< from its begin on the ranks that did it to its end

  /// @pre status is failed
  Error error() const { return {category, where, what_is_wrong, hint}; }
  static TaskReport failure(const Error& error);
};

}  // namespace tempera
