#include "distributed/als/cp_traffic.hpp"

#include <algorithm>
#include <numeric>

#include "core/tensor/count_products.hpp"
#include "distributed/als/cp_apr.hpp"
#include "distributed/als/cp_apr_sweep.hpp"
#include "distributed/als/mode_update.hpp"

namespace tempera {

namespace {

using Kind = SweepOperation::Kind;
constexpr std::size_t kTotals = 6;  // of an ADMM step, see admm_columns

/// The operations so far; equal ones become one entry.
class Operations {
 public:
  void add(const std::string& region, Kind kind, int mode, std::size_t words, std::int64_t times) {
    if (times == 0) return;
    for (SweepOperation& known : all_)
      if (known.region == region && known.kind == kind && known.mode == mode && known.words == words) {
        known.times += times;
        return;
      }
    all_.push_back({region, kind, mode, words, times});
  }
  std::vector<SweepOperation> take() { return std::move(all_); }

 private:
  std::vector<SweepOperation> all_;
};

/// fit_of, and what CpSweep::update_fit does before. The last mode's.
void add_fit(Operations& operations, const std::string& region, int mode, bool holdout, const SweepEvents& events) {
  if (holdout) operations.add(region, Kind::all_reduce, mode, 1, events.sweeps);
  operations.add(region, Kind::broadcast, mode, 1, events.sweeps);
  operations.add(region + "/residual", Kind::all_reduce, mode, 2, events.summed_fits);
  operations.add(region + "/residual", Kind::broadcast, mode, 1, events.summed_fits);
}

/// observed_fit
void add_observed_fit(Operations& operations, const std::string& region, int mode, std::int64_t times) {
  operations.add(region + "/residual", Kind::all_reduce, mode, 1, times);
  operations.add(region + "/residual", Kind::broadcast, mode, 1, times);
}

/// One mode of CpSweep::sweep.
class AlsMode {
 public:
  AlsMode(Operations& operations, const CpOptions& options, std::span<const Constraint> constraints, int mode,
          const SweepEvents& events)
      : operations_(operations),
        options_(options),
        constraint_(constraints[static_cast<std::size_t>(mode)]),
        scale_(scale_of(constraints)),
        mode_(mode),
        rank_(static_cast<std::size_t>(options.rank)),
        events_(events) {}

  void add() const {
    const std::int64_t sweeps = events_.sweeps;
    operations_.add("sweep/reduce rows", Kind::reduce_rows, mode_, rank_, sweeps);
    // A first mode of fixed scale needs weights before any mode could give them.
    if (mode_ == 0 && !constraint_.is_cone() && scale_ != ComponentScale::held) add_sums(events_.starts, 0);
    if (mode_ == 0 && !constraint_.is_cone() && scale_ != ComponentScale::held)
      operations_.add("sweep", Kind::broadcast, mode_, rank_, events_.starts);
    add_update();
    operations_.add("sweep/share rows", Kind::share_rows, mode_, rank_, sweeps);
    add_sums(sweeps, events_.watched);
    if (scale_ == ComponentScale::held && constraint_.smooth > 0)
      operations_.add("sweep", Kind::column_visit, mode_, rank_, sweeps);
    if (scale_ == ComponentScale::fitted) operations_.add("sweep", Kind::broadcast, mode_, rank_, sweeps);
    add_extrapolation();
  }

 private:
  void add_sums(std::int64_t times, std::int64_t watched) const {
    const std::size_t words = rank_ * rank_ + rank_ + 2 + (constraint_.l1 > 0 ? rank_ : 0);
    operations_.add("sweep/gram", Kind::all_reduce, mode_, words, times - watched);
    operations_.add("sweep/gram", Kind::all_reduce, mode_, words + rank_, watched);
  }

  void add_update() const {
    if (constraint_.orthogonal) return operations_.add("sweep/update", Kind::polar, mode_, rank_, events_.sweeps);
    if (!constraint_.couples_rows() || !ModeUpdate::solved_by_admm(constraint_, options_.solver)) return;
    const std::int64_t steps = events_.column_steps.empty() ? SweepEvents::kUsualSteps * events_.sweeps
                                                            : events_.column_steps[static_cast<std::size_t>(mode_)];
    operations_.add("sweep/update", Kind::all_reduce, mode_, kTotals, events_.sweeps + steps);
    if (constraint_.smooth > 0) operations_.add("sweep/update", Kind::column_visit, mode_, rank_, events_.sweeps);
    operations_.add("sweep/update/admm", Kind::column_apply, mode_, rank_, steps);
  }

  void add_extrapolation() const {
    const Constraint set = constraint_.without_penalties();
    if (set.orthogonal) operations_.add("sweep", Kind::polar, mode_, rank_, events_.extrapolated);
    if (!set.orthogonal && set.couples_rows())
      operations_.add("sweep", Kind::column_apply, mode_, rank_, events_.extrapolated);
    if (set != Constraint()) operations_.add("sweep", Kind::share_rows, mode_, rank_, events_.extrapolated);
    operations_.add("sweep", Kind::all_reduce, mode_, rank_ * rank_, events_.extrapolated);
  }

  Operations& operations_;
  const CpOptions& options_;
  const Constraint& constraint_;
  ComponentScale scale_;
  int mode_;
  std::size_t rank_;
  const SweepEvents& events_;
};

void add_als(Operations& operations, const SweepTensor& tensor, const CpOptions& options,
             std::span<const Constraint> constraints, const SweepEvents& events) {
  const int order = static_cast<int>(constraints.size());
  const auto rank = static_cast<std::size_t>(options.rank);
  for (int mode = 0; mode < order; ++mode) AlsMode(operations, options, constraints, mode, events).add();
  if (tensor.holdout) operations.add("sweep", Kind::all_reduce, order - 1, 1, events.sweeps);
  add_fit(operations, "sweep", order - 1, tensor.holdout, events);
  const auto any = [&](auto&& test) { return std::any_of(constraints.begin(), constraints.end(), test); };
  if (scale_of(constraints) != ComponentScale::held || !any([](const Constraint& c) { return c.penalised(); })) return;
  const auto boxes = static_cast<std::size_t>(
      std::count_if(constraints.begin(), constraints.end(), [](const Constraint& c) { return c.has_box(); }));
  if (boxes > 0) operations.add("sweep/balance", Kind::all_reduce, order - 1, 2 * rank * boxes, events.sweeps);
  operations.add("sweep/balance", Kind::broadcast, order - 1, rank * constraints.size(), events.sweeps);
}

/// CpObservedSweep::sweep
void add_observed(Operations& operations, const CpOptions& options, int order, const SweepEvents& events) {
  const auto rank = static_cast<std::size_t>(options.rank);
  const auto moments = static_cast<std::size_t>(count_columns(options.rank, CountContent::normal_equations));
  for (int mode = 0; mode < order; ++mode) {
    operations.add("sweep/reduce rows", Kind::reduce_rows, mode, moments, events.sweeps);
    operations.add("sweep/gram", Kind::all_reduce, mode, rank * rank + 3, events.sweeps);
    operations.add("sweep/share rows", Kind::share_rows, mode, rank, events.sweeps);
  }
  add_observed_fit(operations, "sweep", order - 1, events.sweeps);
}

/// CpAprSweep::sweep
void add_counts(Operations& operations, const SweepTensor& tensor, const CpOptions& options,
                const SweepEvents& events) {
  const auto rank = static_cast<std::size_t>(options.rank);
  const int order = static_cast<int>(tensor.shape.size());
  const CountSteps way = count_steps(chosen_solver(tensor.shape, tensor.stored_cells, options));
  const auto columns = static_cast<std::size_t>(count_columns(options.rank, way.content));
  for (int mode = 0; mode < order; ++mode) {
    if (tensor.holdout || tensor.only_observed) operations.add("sweep", Kind::reduce_rows, mode, rank, events.sweeps);
    operations.add("sweep/reduce rows", Kind::reduce_rows, mode, columns, way.steps * events.sweeps);
    operations.add("sweep/share rows", Kind::share_rows, mode, rank, way.steps * events.sweeps);
    operations.add("sweep/column sums", Kind::all_reduce, mode, rank + 2, events.sweeps);
  }
  const int last = order - 1;
  operations.add("sweep/deviance", Kind::all_reduce, last, 4 + static_cast<std::size_t>(order) * rank * rank,
                 events.sweeps);
  operations.add("sweep/deviance", Kind::all_reduce, last, 1, events.sweeps);
  operations.add("sweep/deviance", Kind::broadcast, last, 1, events.sweeps);
  if (tensor.only_observed)
    add_observed_fit(operations, "sweep/deviance", last, events.sweeps);
  else
    add_fit(operations, "sweep/deviance", last, tensor.holdout, events);
}

/// ColumnExchange: the columns lie with the ranks, an even split.
Traffic collect_traffic(std::size_t columns, std::span<const Index> held, int rank, int ranks) {
  Traffic sum;
  for (Index part = 0; part < ranks; ++part)
    if (part != rank)
      sum += part_traffic(8 * static_cast<std::size_t>(held[static_cast<std::size_t>(rank)]) *
                          (columns * static_cast<std::size_t>(part + 1) / static_cast<std::size_t>(ranks) -
                           columns * static_cast<std::size_t>(part) / static_cast<std::size_t>(ranks)));
  return sum;
}

std::size_t own_columns(std::size_t columns, int rank, int ranks) {
  const auto r = static_cast<std::size_t>(rank), size = static_cast<std::size_t>(ranks);
  return columns * (r + 1) / size - columns * r / size;
}

Traffic column_traffic(Kind kind, std::size_t columns, std::span<const Index> held, int rank, int ranks) {
  if (ranks == 1) return {};
  const std::size_t own = own_columns(columns, rank, ranks);
  Traffic sum = collect_traffic(columns, held, rank, ranks) + copies_traffic(ranks, 8 * own);
  for (int q = 0; kind == Kind::column_apply && own > 0 && q < ranks; ++q)
    if (q != rank) sum += part_traffic(8 * own * static_cast<std::size_t>(held[static_cast<std::size_t>(q)]));
  return sum;
}

/// replace_by_polar_factor: triangles to rank 0 and, stacked, back.
Traffic polar_traffic(std::size_t columns, std::span<const Index> held, int rank, int ranks) {
  const auto words = [&](Index rows) { return columns * std::min(static_cast<std::size_t>(rows), columns); };
  Traffic sum = copies_traffic(ranks, sizeof(Index)) + all_reduce_traffic(rank, ranks, 1, sizeof(Index));
  if (rank != 0) return sum + part_traffic(8 * words(held[static_cast<std::size_t>(rank)]));
  std::size_t stacked = 0;
  for (const Index rows : held) stacked += words(rows);
  return sum + copies_traffic(ranks, 8 * stacked);
}

}  // namespace

std::vector<Constraint> sweep_constraints(const SweepTensor& tensor, const CpOptions& options, bool counts) {
  std::vector<Constraint> constraints = options.constraints;
  constraints.resize(tensor.shape.size());
  if (counts) constraints.assign(constraints.size(), Constraint());
  if (!counts && !tensor.only_observed) bound_free_modes(constraints);
  return constraints;
}

std::vector<SweepOperation> sweep_operations(const SweepTensor& tensor, const CpOptions& options, bool counts,
                                             const SweepEvents& events) {
  Operations operations;
  const std::vector<Constraint> constraints = sweep_constraints(tensor, options, counts);
  if (counts)
    add_counts(operations, tensor, options, events);
  else if (tensor.only_observed)
    add_observed(operations, options, static_cast<int>(tensor.shape.size()), events);
  else
    add_als(operations, tensor, options, constraints, events);
  return operations.take();
}

std::vector<Index> held_rows(const ModeRows& mode, bool filled) {
  std::vector<Index> held;
  held.reserve(mode.rows.size());
  for (const RankRows& rows : mode.rows) held.push_back(rows.owned + (filled ? rows.unseen : 0));
  return held;
}

Traffic traffic_of(const SweepOperation& operation, const ModeRows& mode, std::span<const Index> held, int rank,
                   int ranks) {
  const auto row_traffic = [&](std::int64_t messages, Index rows) {
    return Traffic{messages, static_cast<std::int64_t>(8 * operation.words) * rows};
  };
  Traffic once;
  switch (operation.kind) {
    case Kind::reduce_rows: {
      const RankRows& rows = mode.rows[static_cast<std::size_t>(rank)];
      once = row_traffic(rows.owners, rows.ghosts());
      break;
    }
    case Kind::share_rows: {
      const RankRows& rows = mode.rows[static_cast<std::size_t>(rank)];
      once = row_traffic(rows.holders, rows.copies);
      break;
    }
    case Kind::all_reduce: once = all_reduce_traffic(rank, ranks, operation.words, sizeof(double)); break;
    case Kind::broadcast: once = rank == 0 ? copies_traffic(ranks, 8 * operation.words) : Traffic(); break;
    case Kind::polar: once = polar_traffic(operation.words, held, rank, ranks); break;
    case Kind::column_apply:
    case Kind::column_visit: once = column_traffic(operation.kind, operation.words, held, rank, ranks); break;
  }
  return operation.times * once;
}

}  // namespace tempera
