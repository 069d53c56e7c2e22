#include "distributed/bayesopt/optimization.hpp"

#include "distributed/bayesopt/detail/master.hpp"
#include "distributed/bayesopt/detail/model_rank.hpp"
#include "distributed/bayesopt/detail/worker.hpp"
#include "distributed/communicator/collectively.hpp"

namespace tempera {

OptimizationResult optimize(const Communicator& world, const Space& space, Proposer& proposer, Evaluator& evaluator,
                            const OptimizationOptions& options, const OptimizationObserver& observer) {
  return collectively(world, [&] {
    const auto region = world.regions().open("optimize");
    OptimizationResult result{false, Scheduler(options.scheduler), {}, {}, 0};
    const RankLayout layout(world.size(), options.ranks);
    const RankRole role = layout.role(world.rank());
    const Communicator group = layout.split(world);
    Courier courier(world);
    const bool works = role == RankRole::worker || layout.is_alone();
    if (works) evaluator.join(group);
    const Index mine = works && group.is_root() ? evaluator.slots() : 0;
    const std::vector<Index> slots = world.gather(std::span<const Index>(&mine, 1), 0);
    if (world.is_root()) {
      detail::Master master(courier, layout, slots, space, proposer, evaluator, options, observer);
      master.run();
      result = master.result();
    } else if (role == RankRole::model) {
      if (options.team) options.team->join(group);
      detail::serve_proposals(courier, group, proposer, observer);
      if (options.team) options.team->leave();
    } else {
      detail::serve_trials(courier, world.rank(), layout, evaluator, observer);
    }
    result.stopped = world.broadcast_value(result.stopped ? 1 : 0, 0) != 0;
    return result;
  });
}

}  // namespace tempera
