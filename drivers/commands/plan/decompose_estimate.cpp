#include "drivers/commands/plan/decompose_estimate.hpp"

#include <algorithm>
#include <utility>

namespace tempera::drivers {

namespace {

using Kind = SweepOperation::Kind;

constexpr Index kQuickSample = Index{1} << 17;  // nonzeros a mode, for the rows of tables
constexpr double kReadBlock = 1 << 19;          // nonzeros that are read, and let go again, together

// What a process takes beside: buffers of the file and of MPI; later those of results and checkpoints too (measured).
constexpr double kReadingBytes = 2.5e6, kProcessBytes = 8e6;
constexpr double kKeptBytes = 16e6;  // of freed memory, by the allocator: a quarter of the fit's, and no more than this
constexpr Index kNearRows = Index{1} << 15;  // with more rows of a mode, sorting by it takes a list of places

/// While the tensor is read, goes to its ranks and becomes trees.
/// @param read     nonzeros that the rank reads
/// @param longest  rows of the longest mode
double loading_bytes(const PlannedCells& cells, double read, std::size_t order, int ranks, Index longest) {
  const double coordinate = 8 * (static_cast<double>(order) + 1);
  const double moving =
      ranks == 1 ? coordinate * read : coordinate * (std::max(read, cells.nonzeros) + std::min(read, kReadBlock));
  const double listing = ranks == 1 ? moving : coordinate * cells.nonzeros + cells.list_bytes / 2;
  const double places = longest > kNearRows ? 4 * cells.nonzeros : 0;
  const double building = 0.75 * cells.list_bytes + places + cells.bytes;
  return kReadingBytes + std::max({moving, listing, cells.list_bytes, building});
}

/// Rows of the longest factor that leave and arrive while a checkpoint is written.
double checkpoint_bytes(const CpSizes& sizes, Index rank) {
  if (sizes.ranks == 1) return 0;  // they are written from where they are
  double most = 0;
  for (std::size_t mode = 0; mode < sizes.shape.size(); ++mode)
    most = std::max(most,
                    static_cast<double>(sizes.rows[mode].owned) + static_cast<double>(sizes.shape[mode]) / sizes.ranks);
  return 8 * static_cast<double>(rank) * most;
}

bool heavier(const Traffic& a, const Traffic& b) {
  return a.bytes != b.bytes ? a.bytes > b.bytes : a.messages > b.messages;
}

void note(SentInSweep& sent, const Traffic& of_rank) {
  sent.total += of_rank;
  if (heavier(of_rank, sent.heaviest)) sent.heaviest = of_rank;
}

}  // namespace

DecomposeEstimates::DecomposeEstimates(PlannedTensor& tensor, CpOptions options, bool counts, int threads,
                                       Machine machine)
    : tensor_(tensor),
      options_(std::move(options)),
      counts_(counts),
      threads_(threads),
      machine_(machine),
      sweep_tensor_{tensor.shape(), tensor.stored_cells(), tensor.only_observed(), tensor.holdout()},
      constraints_(sweep_constraints(sweep_tensor_, options_, counts)) {}

DecomposeEstimate DecomposeEstimates::exact(int ranks, const std::vector<int>& grid) {
  DecomposeEstimate estimate;
  estimate.asked = ranks;
  estimate.layout = tensor_.layout(ranks, grid);
  fullest_ = tensor_.cells(estimate.layout, estimate.layout.fullest(), options_.rank);
  add_memory(estimate);
  add_traffic(estimate);
  add_time(estimate);
  return estimate;
}

DecomposeEstimate DecomposeEstimates::quick(int ranks) {
  DecomposeEstimate estimate;
  estimate.asked = ranks;
  estimate.layout = tensor_.layout(ranks, {}, kQuickSample);
  add_memory(estimate);
  add_traffic(estimate);
  add_time(estimate);
  return estimate;
}

std::vector<RankRows> DecomposeEstimates::rows_of(const PlannedLayout& layout, int rank) const {
  std::vector<RankRows> rows;
  for (const ModeRows& mode : layout.modes) rows.push_back(mode.rows[static_cast<std::size_t>(rank)]);
  return rows;
}

/// Per operation over all ranks, so that no more than one number a rank and region is held.
void DecomposeEstimates::add_traffic(DecomposeEstimate& estimate) const {
  const PlannedLayout& layout = estimate.layout;
  const auto ranks = static_cast<std::size_t>(layout.ranks);
  const auto operations = sweep_operations(sweep_tensor_, options_, counts_, {});
  std::vector<Traffic> all(ranks);
  std::map<std::string, std::vector<Traffic>> regions;
  std::vector<std::vector<Traffic>> modes(layout.modes.size(), std::vector<Traffic>(ranks));
  for (const SweepOperation& operation : operations) {
    const auto m = static_cast<std::size_t>(operation.mode);
    const bool of_rows = operation.kind == Kind::reduce_rows || operation.kind == Kind::share_rows;
    const std::vector<Index> held =
        of_rows ? std::vector<Index>() : held_rows(layout.modes[m], constraints_[m].fills_empty_rows());
    std::vector<Traffic>& region = regions.try_emplace(operation.region, ranks).first->second;
    Traffic heaviest;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      const Traffic sent = traffic_of(operation, layout.modes[m], held, static_cast<int>(rank), layout.ranks);
      all[rank] += sent;
      region[rank] += sent;
      if (of_rows) modes[m][rank] += sent;
      if (heavier(sent, heaviest)) heaviest = sent;
    }
    estimate.time.communication +=
        operation_seconds(operation, layout.modes[m], layout.ranks, estimate.placement, heaviest);
  }
  for (const Traffic& sent : all) note(estimate.sent, sent);
  for (const auto& [name, sent_by] : regions)
    for (const Traffic& sent : sent_by) note(estimate.regions[name], sent);
  for (const std::vector<Traffic>& mode : modes) {
    SentInSweep& sent = estimate.modes.emplace_back();
    for (const Traffic& of_rank : mode) note(sent, of_rank);
  }
  for (const ModeRows& mode : layout.modes)
    for (const RankRows& rows : mode.rows) estimate.rows_sent += rows.rows_sent();
}

void DecomposeEstimates::add_memory(DecomposeEstimate& estimate) const {
  const PlannedLayout& layout = estimate.layout;
  estimate.placement = placement_of(machine_, layout.ranks, threads_);
  const double per_nonzero = fullest_.nonzeros > 0 ? 1 / fullest_.nonzeros : 0;
  CpSizes sizes;
  sizes.shape = tensor_.shape();
  sizes.dense = tensor_.dense();
  sizes.ranks = layout.ranks;
  sizes.only_observed = sweep_tensor_.only_observed;
  sizes.stored_cells = sweep_tensor_.stored_cells;
  sizes.holdout = sweep_tensor_.holdout;
  sizes.threads = threads_;
  for (std::size_t mode = 0; mode < sizes.shape.size(); ++mode)
    sizes.spans.push_back(std::max<Index>(1, sizes.shape[mode] / layout.grid[mode]));
  const double read = tensor_.dense() ? 0 : sizes.stored_cells / estimate.asked;
  for (int rank = 0; rank < layout.ranks; ++rank) {
    PlannedCells cells = fullest_;
    const double share = static_cast<double>(layout.cells[static_cast<std::size_t>(rank)]) * per_nonzero;
    for (double* part : {&cells.nonzeros, &cells.bytes, &cells.sweep_bytes, &cells.list_bytes}) *part *= share;
    sizes.rows = rows_of(layout, rank);
    sizes.sweep_bytes = cells.sweep_bytes;
    RankMemory memory;
    memory.cells = cells.bytes;
    for (const RankRows& rows : sizes.rows) memory.rows += 8 * static_cast<double>(rows.touched + rows.copies);
    const CpMemory fit = cp_memory(sizes, options_, counts_);
    // A checkpoint moves one factor at a time into blocks of rows; no step of a sweep is under way meanwhile.
    memory.fit = fit.total() + std::max(0.0, checkpoint_bytes(sizes, options_.rank) - fit.work - fit.watch);
    memory.process = kProcessBytes + std::min(kKeptBytes, memory.fit / 4);
    Index longest = 0;
    for (const RankRows& rows : sizes.rows) longest = std::max(longest, rows.touched);
    memory.loading = tensor_.dense() ? cells.bytes + kReadingBytes
                                     : loading_bytes(cells, read, sizes.shape.size(), layout.ranks, longest);
    estimate.memory_all += memory.total();
    if (memory.total() > estimate.memory.total()) estimate.memory = memory;
  }
}

void DecomposeEstimates::add_time(DecomposeEstimate& estimate) const {
  const PlannedLayout& layout = estimate.layout;
  const int fullest = layout.fullest();
  const auto cells = static_cast<double>(layout.cells[static_cast<std::size_t>(fullest)]);
  const double bytes = fullest_.nonzeros > 0 ? fullest_.bytes / fullest_.nonzeros * cells : 0;
  const SweepWork work =
      sweep_work(sweep_tensor_, tensor_.dense(), options_, counts_, cells, bytes, rows_of(layout, fullest));
  estimate.time.compute = compute_seconds(work, machine_, estimate.placement, threads_);
}

}  // namespace tempera::drivers
