#pragma once

#include <vector>

#include "distributed/tasks/task.hpp"

namespace tempera {

/// What a master is to do with tasks; each one includes those before it.
enum class TaskFlow {
  open,      ///< begin what is ready; more may come
  finished,  ///< nothing more will come: leave when all that was given has ended
  stopping,  ///< nothing new may begin: leave when what runs has ended by itself; the rest of what was given is dropped
  cancelling  ///< the same, and child processes that run are cancelled
};

/// Where a master gets its tasks from, and whom it tells of them. Lives on rank 0 only. All its functions are called
/// often and have to return at once; what they throw ends the job on all ranks.
class TaskSource {
 public:
  virtual ~TaskSource() = default;

  /// Tasks that have become ready since the last call, each once; in this order if the job has one rank, else larger
  /// ones begin first, and those of a size in this order. Asked after every end of a task, and every 50 ms at least.
  virtual std::vector<Task> ready() = 0;
  /// Asked as often. Once finished it may become stopping, and so on, but not open.
  virtual TaskFlow flow() = 0;

  /// A task that was sent ahead to its rank is told of when the one before it has ended.
  /// @param ranks  of the job, which do it from now on; {0, 1} for the master alone
  /// @param when   seconds since run_tasks began, by the master's clock, which also says when ended is called
  virtual void begun(Index number, RankSpan ranks, double when) = 0;
  virtual void ended(Index number, const TaskReport& report, double when) = 0;
};

}  // namespace tempera
