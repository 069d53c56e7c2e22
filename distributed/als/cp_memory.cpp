#include "distributed/als/cp_memory.hpp"

#include <algorithm>
#include <cmath>

#include "core/factorization/bpp.hpp"
#include "distributed/als/cp_apr.hpp"
#include "distributed/als/leading_vectors.hpp"
#include "distributed/als/mode_update.hpp"

namespace tempera {

namespace {

constexpr Index kLargestPadded = Index{1} << 60;

/// Any number may have been typed: near the end of the integers the padding is nothing.
double padded(double columns) {
  return columns < static_cast<double>(kLargestPadded)
             ? static_cast<double>(padded_columns(static_cast<Index>(columns)))
             : columns;
}

/// Rows that a rank answers for. Those that no rank touches are counted as if they were dealt evenly.
double held_rows(const CpSizes& sizes, const Constraint& constraint, std::size_t mode) {
  const double owned = static_cast<double>(sizes.rows[mode].owned);
  if (!constraint.fills_empty_rows()) return owned;
  return std::max(owned, static_cast<double>(sizes.shape[mode]) / sizes.ranks);
}

/// What bpp_update remembers of the rows it is at: their sets of positive entries, and the groups that share one.
double pivoting_bytes(double held, double rank, double threads) {
  constexpr double kRowBytes = 512;
  return (kRowBytes + 8 * padded(rank)) * std::min(held, static_cast<double>(kBppTileRows) * threads);
}

/// Of one update.
double work_bytes(const Constraint& constraint, Solver solver, bool admm, double held, double size, double rank,
                  double ranks, double threads) {
  if (constraint.orthogonal) return 8 * held * (padded(rank) + 3 * rank);
  if (!admm) return solver == Solver::bpp ? pivoting_bytes(held, rank, threads) : 0;
  if (!constraint.couples_rows()) return 16 * padded(rank) * held;
  return 40 * padded(rank) * held +
         8 * (ranks == 1 ? std::min(threads, rank) * size : rank * held + 2 * size * std::ceil(rank / ranks));
}

}  // namespace

CpSizes cp_sizes(const DistributedTensor& tensor, Index rank) {
  CpSizes sizes;
  sizes.shape = tensor.shape();
  if (!tensor.active()) return sizes;
  sizes.dense = !tensor.sparse();
  sizes.ranks = tensor.grid().size();
  sizes.only_observed = tensor.only_observed();
  sizes.stored_cells = static_cast<double>(tensor.stored_cells());
  sizes.holdout = !tensor.holdout().empty();
  sizes.held_cells = static_cast<double>(tensor.holdout().cells.size());
  sizes.sweep_bytes = static_cast<double>(tensor.sweep_bytes(rank));
  sizes.threads = tensor.threads();
  for (int mode = 0; mode < tensor.order(); ++mode) {
    const RowExchange& exchange = tensor.exchange(mode);
    RankRows rows;
    rows.touched = exchange.layout().rows();
    rows.owned = exchange.layout().owned_count;
    rows.copies = exchange.rows_sent() - rows.ghosts();
    rows.together = exchange.ranks();
    sizes.rows.push_back(rows);
    const auto& own = exchange.layout().global_rows;
    const auto [least, most] = std::minmax_element(own.begin(), own.end());
    sizes.spans.push_back(own.empty() ? 0 : *most - *least + 1);
  }
  return sizes;
}

CpMemory cp_memory(const DistributedTensor& tensor, const CpOptions& options, bool counts) {
  return cp_memory(cp_sizes(tensor, options.rank), options, counts);
}

CpMemory cp_memory(const CpSizes& sizes, const CpOptions& options, bool counts) {
  CpMemory memory;
  if (sizes.rows.empty()) return memory;
  std::vector<Constraint> constraints = options.constraints;
  const std::size_t order = sizes.shape.size();
  constraints.resize(order);
  if (counts) constraints.assign(constraints.size(), Constraint());
  const bool observed = sizes.only_observed;
  if (!observed) bound_free_modes(constraints);
  const auto rank = static_cast<double>(options.rank);
  const double ranks = sizes.ranks;
  const double triangle = counts     ? hessian_columns(sizes.shape, sizes.stored_cells, options)
                          : observed ? rank * (rank + 1) / 2
                                     : 0;
  const double columns = rank + triangle;  // of the product
  const double row = 8 * padded(rank);
  double longest = 0, all_held = 0, exchange = 0;
  const bool damped = options.damping > 0 || options.damping_in_swamps;
  for (std::size_t m = 0; m < order; ++m) {
    const Constraint& constraint = constraints[m];
    const auto local = static_cast<double>(sizes.rows[m].touched);
    const auto size = static_cast<double>(sizes.shape[m]);
    const double held = held_rows(sizes, constraint, m);
    const double filled = held - static_cast<double>(sizes.rows[m].owned);
    const bool admm = ModeUpdate::solved_by_admm(constraint, options.solver);
    longest = std::max(longest, local);
    all_held += held;
    if (!counts && !observed) memory.watch = std::max(memory.watch, row * held);
    memory.factors += row * (local + filled);
    if (options.extrapolation) memory.previous += row * (local + filled);
    if (admm) memory.duals += row * held;
    if (constraint.couples_rows()) memory.places += 8 * size;
    const Index wide = columns < static_cast<double>(kLargestPadded) ? static_cast<Index>(columns) : kLargestPadded;
    exchange = std::max(exchange, 8 * columns * static_cast<double>(buffer_rows(sizes.rows[m], sizes.dense, wide)));
    const bool kept = damped && !admm && !constraint.orthogonal;
    if (!observed)
      memory.work =
          std::max({memory.work, work_bytes(constraint, options.solver, admm, held, size, rank, ranks, sizes.threads),
                    kept ? 2 * row * held : 0});
  }
  memory.work = std::max(memory.work, exchange);
  if (!counts && !observed) memory.kept = sizes.sweep_bytes;
  memory.product = 8 * padded(columns) * longest;
  if (options.init == CpInit::nvecs) {
    std::vector<Index> rows;
    for (const RankRows& own : sizes.rows) rows.push_back(own.touched);
    memory.start = leading_vectors_bytes(rows, sizes.spans, sizes.stored_cells / ranks, options.rank);
  }
  if (options.restarts > 1) memory.best = row * all_held;
  memory.held = 16 * sizes.held_cells;
  if (counts && (observed || sizes.holdout)) memory.held += row * longest;
  memory.rows = 8 * all_held + 8 * (static_cast<double>(order) + 4) * rank * rank;
  return memory;
}

}  // namespace tempera
