#include "distributed/bayesopt/optimization.hpp"

#include "distributed/bayesopt/detail/master.hpp"
#include "distributed/bayesopt/detail/worker.hpp"
#include "distributed/communicator/collectively.hpp"

namespace tempera {

OptimizationResult optimize(const Communicator& world, const Space& space, Proposer& proposer, Evaluator& evaluator,
                            const OptimizationOptions& options, const OptimizationObserver& observer) {
  return collectively(world, [&] {
    OptimizationResult result{false, Scheduler(options.scheduler), {}, {}, 0};
    Courier courier(world);
    // Rank 0 serves the others; alone it works itself.
    const Index mine = world.is_root() && world.size() > 1 ? 0 : evaluator.slots();
    const std::vector<Index> slots = world.gather(std::span<const Index>(&mine, 1), 0);
    if (world.is_root()) {
      detail::Master master(courier, slots, space, proposer, evaluator, options, observer);
      master.run();
      result = master.result();
    } else {
      detail::serve_trials(courier, evaluator, observer);
    }
    result.stopped = world.broadcast_value(result.stopped ? 1 : 0, 0) != 0;
    return result;
  });
}

}  // namespace tempera
