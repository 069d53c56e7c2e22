#pragma once

#include <functional>
#include <string>

#include "distributed/communicator/communicator.hpp"
#include "distributed/communicator/stop_request.hpp"
#include "distributed/tasks/child_tasks.hpp"
#include "distributed/tasks/task_source.hpp"

namespace tempera {

/// Does what an order says, together with the other ranks of the group; the result of the group's first rank counts.
/// What a rank throws is agreed in the group (collectively) and becomes the report of the task.
using TaskWork = std::function<std::string(const std::string& order, const Communicator& group)>;

/// Has the tasks of a source done by groups of ranks, until the source says that it is over. Collective.
///
/// Rank 0 is the master: it hands tasks to neighbouring ranks that are idle, larger ones first, and computes nothing
/// itself but the tasks of all ranks and, beside its work, one child process at a time. A job of one rank does the
/// tasks one by one in the order of the source. A task that does not fit yet has a place kept for it, where nothing
/// smaller begins: streams of small tasks do not hold up large ones. A communicator is made once for each group and
/// used again; a rank keeps those of its latest sixteen groups. While tasks of one rank take some milliseconds and
/// many wait, each rank gets its next one ahead.
///
/// Ranks without work sleep most of the time. Gap between two tasks of a group: well below a millisecond.
///
/// @param source    of rank 0; ignored on the others
/// @param children  does tasks that are child processes; may be null if there are none
/// @param signals   if given: one that comes to any rank is one of rank 0 too, for its source to ask of, and once the source
///                  cancels, local() is true on all ranks, in the middle of their work too. Outlives the call
/// @throws Error{usage} if a task wants more ranks than there are, and on all ranks what the source throws, or a rank
///         outside of tasks; child processes that run are cancelled then
void run_tasks(const Communicator& world, TaskSource* source, const TaskWork& work, ChildTasks* children = nullptr,
               const StopRequest* signals = nullptr);

}  // namespace tempera
