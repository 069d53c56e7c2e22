#include "distributed/tasks/run_tasks.hpp"

#include "core/base/contract.hpp"
#include "distributed/communicator/collectively.hpp"
#include "distributed/tasks/detail/task_alone.hpp"
#include "distributed/tasks/detail/task_master.hpp"
#include "distributed/tasks/detail/task_worker.hpp"

namespace tempera {

void run_tasks(const Communicator& world, TaskSource* source, const TaskWork& work, ChildTasks* children,
               const StopRequest* signals) {
  TEMPERA_EXPECTS(!world.is_root() || source != nullptr);
  collectively(world, [&] {
    detail::TaskGroups groups(world, work);
    if (world.size() == 1) {
      detail::TaskAlone(*source, groups, children).run();
      return;
    }
    Courier courier(world);
    if (world.is_root())
      detail::TaskMaster(world.size(), courier, *source, groups, children, signals).run();
    else
      detail::TaskWorker(world.rank(), courier, groups, children, signals).serve();
  });
}

}  // namespace tempera
