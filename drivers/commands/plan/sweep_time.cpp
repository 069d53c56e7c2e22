#include "drivers/commands/plan/sweep_time.hpp"

#include <algorithm>
#include <cmath>

#include "distributed/als/cp_apr.hpp"
#include "distributed/als/cp_apr_sweep.hpp"

namespace tempera::drivers {

namespace {

using Kind = SweepOperation::Kind;

// Shares of a core's dgemm rate that kernels reach when nothing comes from memory: products of whole blocks, and loops over
// nonzeros that gather factor rows.
constexpr double kDenseShare = 0.5, kSparseShare = 0.3;
// Factor rows that are gathered come from caches of about this size a rank, or from memory.
constexpr double kCacheBytes = 1 << 20;
constexpr std::size_t kInlineBroadcast = 32;  // doubles that travel with the arrival

}  // namespace

SweepWork sweep_work(const SweepTensor& tensor, bool dense, const CpOptions& options, bool counts, double cells,
                     double bytes, std::span<const RankRows> rows) {
  const auto rank = static_cast<double>(options.rank), order = static_cast<double>(tensor.shape.size());
  double touched = 0, owned = 0;
  for (const RankRows& mode : rows) {
    touched += static_cast<double>(mode.touched);
    owned += static_cast<double>(mode.owned);
  }
  // A row is gathered for each leaf, those above are shared along fibres. It misses the cache with the probability that the
  // others leave.
  const double factor_bytes = 8 * rank * touched;
  const double missed = factor_bytes > kCacheBytes ? 1 - kCacheBytes / factor_bytes : 0;
  const double triangle = rank * (rank + 3) / 2;
  SweepWork work;
  if (counts) {
    const CountSteps way = count_steps(chosen_solver(tensor.shape, tensor.stored_cells, options));
    const double columns = way.content == CountContent::with_hessian ? triangle : rank;
    work.flops = order * way.steps * cells * (2 * order * rank + 2 * columns);
    work.bytes = order * way.steps * (bytes / order + cells * 8 * rank * missed);
    if (way.content == CountContent::with_hessian) work.flops += way.steps * owned * rank * rank * rank / 3;
  } else if (tensor.only_observed) {
    work.flops = order * cells * (2 * order * rank + 2 * triangle) + owned * rank * rank * rank / 3;
    work.bytes = bytes + order * cells * 8 * rank * missed;
  } else if (dense) {
    work.flops = 4 * cells * rank;  // a dimension tree goes through the cells twice
    work.bytes = 16 * cells;
  } else {
    work.flops = order * cells * order * rank;
    work.bytes = bytes + order * cells * 8 * rank * missed;
  }
  work.flops += 4 * owned * rank * rank;  // solving and the Gram matrix
  work.bytes += 8 * rank * (3 * touched + 3 * owned);
  // The loops over nonzeros take longer than their operations would.
  work.flops /= dense && !counts ? kDenseShare : kSparseShare;
  return work;
}

double compute_seconds(const SweepWork& work, const Machine& machine, const Placement& placement, int threads) {
  const double bandwidth = std::min(machine.memory_bandwidth_per_core * threads,
                                    machine.memory_bandwidth_per_node / placement.ranks_per_node);
  return std::max(work.flops / (machine.flops_per_core * threads), work.bytes / bandwidth);
}

double operation_seconds(const SweepOperation& operation, const ModeRows& rows, int ranks, const Placement& placement,
                         const Traffic& heaviest) {
  const auto times = static_cast<double>(operation.times);
  const bool of_rows = operation.kind == Kind::reduce_rows || operation.kind == Kind::share_rows;
  const int together = of_rows ? rows.rows.front().together : ranks;
  if (together == 1) return 0;
  const double arrival = steps_of(together) * placement.latency;
  const double bytes = 8 * static_cast<double>(operation.words);
  const auto sent = [&] {
    return static_cast<double>(heaviest.messages) * placement.latency +
           static_cast<double>(heaviest.bytes) / placement.bandwidth;
  };
  switch (operation.kind) {
    case Kind::broadcast:
      // The root's words go along a tree, though they count as if it sent them to everyone.
      if (operation.words <= kInlineBroadcast) return times * arrival;
      return times * (arrival + steps_of(ranks) * (placement.latency + bytes / placement.bandwidth));
    case Kind::all_reduce:
      if (bytes * ranks <= static_cast<double>(ReductionLimits().inline_bytes))
        return times * (arrival + bytes * (ranks - 1) / placement.bandwidth);
      return times * arrival + sent();
    case Kind::share_rows:
      if (rows.dense)  // one all-gather of the library
        return times * (2 * arrival + bytes * static_cast<double>(rows.rows.front().ghosts()) / placement.bandwidth);
      return times * arrival + sent();
    case Kind::polar: return times * 4 * arrival + static_cast<double>(heaviest.bytes) / placement.bandwidth;
    case Kind::reduce_rows:
    case Kind::column_apply:
    case Kind::column_visit: break;
  }
  return times * arrival + sent();
}

}  // namespace tempera::drivers
