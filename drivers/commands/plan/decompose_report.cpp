#include "drivers/commands/plan/decompose_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.hpp"
#include "distributed/als/mttkrp_bound.hpp"
#include "distributed/tensor/partition_comparison.hpp"

namespace tempera::drivers {

namespace {

/// One MTTKRP receives the rows of all modes but one and sends those of that one: each mode once, half a sweep.
double moved_in_one(const PlannedLayout& layout, Index rank) {
  double most = 0;
  for (std::size_t r = 0; r < static_cast<std::size_t>(layout.ranks); ++r) {
    Index rows = 0;
    for (const ModeRows& mode : layout.modes) rows += mode.rows[r].ghosts();
    most = std::max(most, static_cast<double>(rows * rank));
  }
  return most;
}

std::vector<PartitionWords> compared(const PlannedTensor& tensor, const DecomposeEstimate& estimate, Index rank) {
  const int ranks = estimate.layout.ranks;
  if (tensor.dense() || ranks == 1) return {};
  const auto words = [&](const std::string& name, const PartitionCost& cost) {
    return PartitionWords{name, static_cast<double>(cost.rows_sent * rank), cost.balance};
  };
  return {words("fine", fine_partition_cost(tensor.rows(), ranks)),
          words("medium", {estimate.rows_sent, estimate.layout.balance()}),
          words("coarse", coarse_partition_cost(tensor.rows(), tensor.shape(), tensor.all_blocks(), ranks))};
}

std::vector<std::string> warnings_of(const DecomposeEstimates& estimates, const DecomposePlanFacts& facts) {
  const DecomposeEstimate& estimate = facts.estimate;
  std::vector<std::string> warnings;
  if (estimate.layout.ranks < estimate.asked)
    warnings.push_back(fmt::format("{} of {} MPI ranks would hold no data: the sizes of the tensor allow no grid of {}",
                                   estimate.asked - estimate.layout.ranks, estimate.asked, estimate.asked));
  const double node = estimates.machine().memory_per_node;
  if (node_memory(estimate) > node)
    warnings.push_back(
        fmt::format("memory does not fit: the ranks of a node need {}, it has {}; take more nodes with fewer "
                    "ranks on each (--threads {} would leave half as many)",
                    human_bytes(node_memory(estimate)), human_bytes(node), 2 * estimates.threads()));
  if (estimate.time.share() > 0.5)
    warnings.push_back(
        fmt::format("communication dominates: {:.0f} % of the time of a sweep; up to {} rank{} at least half of "
                    "their time would be used",
                    100 * estimate.time.share(), facts.best_ranks, facts.best_ranks == 1 ? "" : "s"));
  return warnings;
}

}  // namespace

double node_memory(const DecomposeEstimate& estimate) {
  return estimate.memory.total() * std::min(estimate.layout.ranks, estimate.placement.ranks_per_node);
}

Plan decompose_plan(const DecomposePlanTask& task, const PlannedTensor& tensor, DecomposeEstimates& estimates) {
  DecomposePlanFacts facts;
  facts.estimate = estimates.exact(task.ranks, task.grid);
  const DecomposeEstimate& estimate = facts.estimate;
  const Index rank = estimates.options().rank;
  facts.moved = moved_in_one(estimate.layout, rank);
  if (tensor.dense()) facts.bound = mttkrp_bound(tensor.shape(), rank, estimate.layout.ranks);
  facts.compared = compared(tensor, estimate, rank);
  facts.strong = strong_scaling(estimates, estimate);
  facts.weak = weak_scaling(estimates, estimate);
  facts.best_ranks = best_ranks(facts.strong);
  const auto curve = [](const char* name, const std::vector<ScalingPoint>& points) {
    ScalingCurve made{name, {}};
    for (const ScalingPoint& point : points) made.points.emplace_back(point.ranks, point.speedup);
    return made;
  };
  return {
      decompose_plan_text(task, tensor, estimates, facts),
      decompose_plan_json(task, tensor, estimates, facts),
      warnings_of(estimates, facts),
      fmt::format("Sweeps of {} at rank {}", task.options.input, rank),
      {curve("strong scaling: this tensor", facts.strong), curve("weak scaling: as many cells a rank", facts.weak)}};
}

}  // namespace tempera::drivers
