#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "distributed/tensor/distributed_tensor.hpp"
#include "distributed/tensor/nonzero_partition.hpp"

namespace tempera {

namespace {

/// CSF trees may take this share of the 8(N + 1) bytes a nonzero that the coordinates took: enough for a tree a mode up to
/// order 5, whatever the tensor.
constexpr double kTreeBudget = 2.6;

std::vector<Index> distinct(std::span<const Index> indices) {
  if (indices.empty()) return {};
  const auto [low, high] = std::minmax_element(indices.begin(), indices.end());
  const Index first = *low, span = *high - first + 1;
  std::vector<Index> result;
  if (span <= 16 * static_cast<Index>(indices.size())) {  // a bitmap of at most 2 bytes a nonzero
    std::vector<bool> present(static_cast<std::size_t>(span), false);
    for (Index index : indices) present[static_cast<std::size_t>(index - first)] = true;
    for (Index k = 0; k < span; ++k)
      if (present[static_cast<std::size_t>(k)]) result.push_back(first + k);
  } else {
    result.assign(indices.begin(), indices.end());
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
  }
  return result;
}

/// Local number of every index. `touched` is increasing, local_of[k] is the local number of touched[k].
std::vector<std::uint32_t> localised(std::span<const Index> indices, std::span<const Index> touched,
                                     std::span<const std::uint32_t> local_of) {
  std::vector<std::uint32_t> result(indices.size());
  if (touched.empty()) return result;
  const Index first = touched.front(), span = touched.back() - first + 1;
  if (span <= 2 * static_cast<Index>(indices.size())) {
    std::vector<std::uint32_t> table(static_cast<std::size_t>(span));
    for (std::size_t k = 0; k < touched.size(); ++k) table[static_cast<std::size_t>(touched[k] - first)] = local_of[k];
    for (std::size_t k = 0; k < indices.size(); ++k) result[k] = table[static_cast<std::size_t>(indices[k] - first)];
  } else {
    for (std::size_t k = 0; k < indices.size(); ++k)
      result[k] = local_of[static_cast<std::size_t>(std::lower_bound(touched.begin(), touched.end(), indices[k]) -
                                                    touched.begin())];
  }
  return result;
}

void append(SparseTensor& entries, const SparseTensor& more) {
  std::vector<Index> cell(static_cast<std::size_t>(more.order()));
  for (std::size_t k = 0; k < static_cast<std::size_t>(more.nonzeros()); ++k) {
    for (int mode = 0; mode < more.order(); ++mode) cell[static_cast<std::size_t>(mode)] = more.indices(mode)[k];
    entries.append(cell, more.values()[k]);
  }
}

/// Sum of squares in runs of fixed length, so that long sums keep their last digits.
double sum_of_squares(std::span<const double> values) {
  constexpr std::size_t kRun = 1024;
  double total = 0;
  for (std::size_t begin = 0; begin < values.size(); begin += kRun) {
    double run = 0;
    for (std::size_t k = begin; k < std::min(values.size(), begin + kRun); ++k) run += values[k] * values[k];
    total += run;
  }
  return total;
}

class DistributedSparseTensor final : public DistributedTensor {
 public:
  /// `split` is empty unless cells are held out.
  DistributedSparseTensor(std::vector<Index> shape, ProcessGrid grid, const NonzeroPartition& partition,
                          SparseTensor mine, std::optional<SplitEntries> split, Missing missing, int threads)
      : DistributedTensor(std::move(shape), std::move(grid), true), threads_(threads) {
    missing_ = missing;
    double local[3] = {0, 0, 0};  // stored cells, duplicates, squared norm
    Index most = 0;
    if (active()) {
      build(partition, std::move(mine), split);
      const auto values = trees_.trees().front().values();
      local[0] = static_cast<double>(values.size());
      local[1] = static_cast<double>(duplicates_);
      local[2] = sum_of_squares(values);
      for (double value : values) largest_magnitude_ = std::max(largest_magnitude_, std::abs(value));
      most = static_cast<Index>(values.size());
    }
    grid_.all().all_reduce(std::span<double>(local), Reduction::sum);
    most = grid_.all().all_reduce_value(most, Reduction::maximum);
    largest_magnitude_ = grid_.all().all_reduce_value(largest_magnitude_, Reduction::maximum);
    count_exchanged_rows();
    stored_cells_ = static_cast<Index>(local[0]);
    duplicates_ = static_cast<Index>(local[1]);
    norm_squared_ = local[2];
    every_cell_stored_ = static_cast<double>(stored_cells_) == cell_count(shape_);
    if (split) describe_holdout();
    balance_ = stored_cells_ > 0 ? static_cast<double>(most) * grid_.size() / static_cast<double>(stored_cells_) : 1;
  }

  std::string storage() const override {
    if (!active()) return "no data on this rank";
    switch (trees_.policy()) {
      case CsfPolicy::one: return "CSF, one tree";
      case CsfPolicy::two: return "CSF, two trees";
      case CsfPolicy::all: return "CSF, one tree a mode";
    }
    return "CSF";
  }

  double cell_bytes() const override { return static_cast<double>(trees_.bytes()); }

  void mttkrp(std::span<const FactorMatrix> factors, int mode, FactorMatrix& result) const override {
    tempera::mttkrp(trees_, factors, mode, result, threads_);
  }

  ResidualSums residual_sums(std::span<const FactorMatrix> factors, std::span<const double> weights) const override {
    return tempera::residual_sums(trees_.trees().front(), factors, weights);
  }

  void count_products(std::span<const FactorMatrix> factors, int mode, CountContent content,
                      FactorMatrix& result) const override {
    tempera::count_products(trees_.tree_for(mode), factors, mode, content, result, threads_);
  }

  CountSums count_sums(std::span<const FactorMatrix> factors, std::span<const double> weights) const override {
    return tempera::count_sums(trees_.trees().front(), factors, weights);
  }

  void for_each_cell(const std::function<void(std::span<const Index>, double)>& visit) const override {
    if (!active() || trees_.trees().front().nonzeros() == 0) return;
    std::vector<Index> coordinates(shape_.size());
    visit_below(trees_.trees().front(), 0, 0, trees_.trees().front().nodes(0), coordinates, visit);
  }

 private:
  void visit_below(const CsfTensor& tree, int level, Index begin, Index end, std::vector<Index>& coordinates,
                   const std::function<void(std::span<const Index>, double)>& visit) const {
    const int mode = tree.mode_order()[static_cast<std::size_t>(level)];
    for (Index node = begin; node < end; ++node) {
      const auto n = static_cast<std::size_t>(node);
      coordinates[static_cast<std::size_t>(mode)] = rows(mode).global_rows[tree.ids(level)[n]];
      if (level + 1 == tree.order())
        visit(coordinates, tree.values()[n]);
      else
        visit_below(tree, level + 1, static_cast<Index>(tree.first_child(level, n)),
                    static_cast<Index>(tree.first_child(level, n + 1)), coordinates, visit);
    }
  }

  /// What all ranks know of it; the cells that are kept apart count as stored.
  void describe_holdout() {
    Index held[2] = {0, 0};
    for (int stratum : holdout_.stratum) ++held[stratum];
    grid_.all().all_reduce(std::span<Index>(held), Reduction::sum);
    stored_cells_ += held[0];
    const auto stored = static_cast<double>(stored_cells_);
    if (missing_ == Missing::unobserved)
      holdout_.strata = {{"observed cells", held[0], stored}};
    else
      holdout_.strata = {{"nonzeros", held[0], stored}, {"zeros", held[1], cell_count(shape_) - stored}};
  }

  /// Takes the cells that are kept apart out of the entries, which are given with those behind them.
  void hold_out_entries(std::vector<std::vector<std::uint32_t>>& local, std::vector<double>& values, Index kept,
                        Index held) {
    std::vector<Index> back;
    holdout_ = hold_out(grid_.active_ranks(), exchanges_, local, values, kept, held, back);
    holdout_.cells.shrink_to_fit();
    holdout_.stratum.shrink_to_fit();
    std::sort(back.begin(), back.end());
    for (auto& indices : local) {
      for (std::size_t k = 0; k < back.size(); ++k)
        indices[static_cast<std::size_t>(kept) + k] = indices[static_cast<std::size_t>(back[k])];
      indices.resize(static_cast<std::size_t>(kept) + back.size());
    }
    for (std::size_t k = 0; k < back.size(); ++k)
      values[static_cast<std::size_t>(kept) + k] = values[static_cast<std::size_t>(back[k])];
    values.resize(static_cast<std::size_t>(kept) + back.size());
  }

  void build(const NonzeroPartition& partition, SparseTensor mine, const std::optional<SplitEntries>& split) {
    const Index kept = mine.nonzeros();
    if (split) {
      append(mine, split->held);
      append(mine, split->candidates);
    }
    std::vector<std::vector<std::uint32_t>> local(static_cast<std::size_t>(order()));
    std::vector<Index> local_shape;
    for (int mode = 0; mode < order(); ++mode) {
      const auto indices = mine.indices(mode);
      const std::vector<Index> touched = distinct(indices);
      // Rows of spread slices are touched in several layers.
      const bool spreads = partition.spreads(static_cast<std::size_t>(mode));
      exchanges_.push_back(sparse_row_exchange(spreads ? grid_.active_ranks() : grid_.layer(mode), touched));
      // The exchange renumbers the rows (owned first); map the increasing order of `touched` to its order.
      const auto& global_rows = rows(mode).global_rows;
      std::vector<std::uint32_t> local_of(touched.size());
      for (std::size_t k = 0; k < global_rows.size(); ++k)
        local_of[static_cast<std::size_t>(std::lower_bound(touched.begin(), touched.end(), global_rows[k]) -
                                          touched.begin())] = static_cast<std::uint32_t>(k);
      local[static_cast<std::size_t>(mode)] = localised(indices, touched, local_of);
      local_shape.push_back(std::max<Index>(1, static_cast<Index>(touched.size())));
      mine.release_indices(mode);
    }
    std::vector<double> selected;
    if (split) {
      selected.assign(mine.values().begin(), mine.values().end());
      hold_out_entries(local, selected, kept, split->held.nonzeros());
    }
    const std::span<const double> values = split ? std::span<const double>(selected) : mine.values();
    NonzeroList list(local_shape, static_cast<Index>(values.size()));
    for (int mode = 0; mode < order(); ++mode) {
      list.set_mode(mode, local[static_cast<std::size_t>(mode)]);
      std::vector<std::uint32_t>().swap(local[static_cast<std::size_t>(mode)]);
    }
    list.set_values(values);
    std::vector<double>().swap(selected);
    mine = SparseTensor();
    duplicates_ = list.sum_duplicates() + holdout_.merged;
    const auto coordinate_bytes = static_cast<double>(8 * (order() + 1)) * static_cast<double>(list.size());
    trees_ = CsfSet(std::move(list), static_cast<std::size_t>(kTreeBudget * coordinate_bytes));
  }

  CsfSet trees_;
  int threads_;
};

}  // namespace

std::unique_ptr<DistributedTensor> distribute(const Communicator& communicator, std::span<const Index> shape,
                                              std::vector<SparseTensor> blocks, const DistributionOptions& options) {
  check_shape(shape, false);
  const auto region = communicator.regions().open("partition");
  std::optional<SplitEntries> split;
  if (options.holdout.share > 0) split = split_entries(communicator, shape, blocks, options.holdout, options.missing);
  const NonzeroPartition partition = choose_partition(communicator, shape, blocks, options.grid);
  ProcessGrid grid(communicator, partition.grid);
  SparseTensor mine = redistribute(communicator, partition, shape, std::move(blocks));
  if (split)
    for (SparseTensor* part : {&split->held, &split->candidates}) {
      std::vector<SparseTensor> whole;
      whole.push_back(std::move(*part));
      *part = redistribute(communicator, partition, shape, std::move(whole));
    }
  return std::make_unique<DistributedSparseTensor>(std::vector<Index>(shape.begin(), shape.end()), std::move(grid),
                                                   partition, std::move(mine), std::move(split), options.missing,
                                                   options.threads);
}

}  // namespace tempera
