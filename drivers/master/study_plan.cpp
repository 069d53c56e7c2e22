#include "drivers/master/study_plan.hpp"

#include <algorithm>
#include <climits>
#include <set>
#include <utility>

#include "core/base/contract.hpp"

namespace tempera::drivers {

namespace {

/// Goes through the steps of a plan.
class Simulation {
 public:
  Simulation(const StudyGraph& graph, std::span<const RunSize> sizes, int mpi_ranks)
      : graph_(graph), sizes_(sizes), done_(sizes.size(), false), done_of_stage_(graph.of_stage.size(), 0) {
    plan_.mpi_ranks = mpi_ranks;
    for (std::size_t i = 0; i < sizes.size(); ++i) waiting_.push_back(i);
  }

  StudyPlan run() {
    while (plan_.runs.size() < sizes_.size()) {
      std::erase_if(waiting_, [&](std::size_t instance) {
        if (!is_ready(instance)) return false;
        ready_.emplace(-size_of(instance), instance);
        return true;
      });
      TEMPERA_EXPECTS(!ready_.empty());
      step();
      ++step_;
    }
    return std::move(plan_);
  }

 private:
  int size_of(std::size_t instance) const {
    return sizes_[instance].ranks == kAllRanks ? INT_MAX : sizes_[instance].ranks;
  }

  bool is_ready(std::size_t instance) const {
    for (const Dependency& dependency : graph_.waits_for[instance])
      if (dependency.instance ? !done_[*dependency.instance]
                              : done_of_stage_[dependency.stage] < graph_.of_stage[dependency.stage].size())
        return false;
    return true;
  }

  void step() {
    const std::size_t before = plan_.runs.size();
    if (ready_.begin()->first == -INT_MAX) {
      plan_.runs.push_back({ready_.begin()->second, step_, 0, plan_.mpi_ranks});
      ready_.erase(ready_.begin());
    } else {
      // All workers are free when a step begins, so the lowest free ranks follow those taken before.
      int next = plan_.mpi_ranks > 1 ? 1 : 0;
      for (;;) {
        const auto largest = ready_.lower_bound({-(plan_.mpi_ranks - next), 0});
        if (next == plan_.mpi_ranks || largest == ready_.end()) break;
        plan_.runs.push_back({largest->second, step_, next, -largest->first});
        next -= largest->first;
        ready_.erase(largest);
      }
    }
    for (std::size_t k = before; k < plan_.runs.size(); ++k) {
      done_[plan_.runs[k].instance] = true;
      ++done_of_stage_[graph_.instances[plan_.runs[k].instance].stage];
    }
  }

  const StudyGraph& graph_;
  std::span<const RunSize> sizes_;
  std::vector<std::size_t> waiting_;
  std::set<std::pair<int, std::size_t>> ready_;  // −size, instance
  std::vector<bool> done_;
  std::vector<std::size_t> done_of_stage_;
  int step_ = 1;
  StudyPlan plan_;
};

}  // namespace

StudyPlan plan_study(const StudyGraph& graph, std::span<const RunSize> sizes, int mpi_ranks) {
  return Simulation(graph, sizes, mpi_ranks).run();
}

}  // namespace tempera::drivers
