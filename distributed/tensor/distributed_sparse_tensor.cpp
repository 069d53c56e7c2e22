#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "core/tensor/fibre_products.hpp"
#include "distributed/tensor/distributed_tensor.hpp"
#include "distributed/tensor/local_rows.hpp"
#include "distributed/tensor/nonzero_partition.hpp"
#include "distributed/tensor/planned_tensor.hpp"

namespace tempera {

namespace {

constexpr Index kTile = 4096;  // nonzeros that become keys at a time, while they are in the cache

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

class SharedProducts final : public SweepProducts {
 public:
  SharedProducts(const CsfSet& trees, Index rank, int threads) : products_(trees, rank), threads_(threads) {}

  void mttkrp(std::span<const FactorMatrix> factors, std::span<const std::uint64_t> versions, int mode,
              FactorMatrix& result, const RowProgress* progress) override {
    products_.mttkrp(factors, versions, mode, result, threads_, progress);
  }

 private:
  FibreProducts products_;
  int threads_;
};

class DistributedSparseTensor final : public DistributedTensor {
 public:
  /// `split` is empty unless cells are held out.
  DistributedSparseTensor(std::vector<Index> shape, ProcessGrid grid, const NonzeroPartition& partition,
                          std::vector<SparseTensor> mine, std::optional<SplitEntries> split, Missing missing,
                          int threads)
      : DistributedTensor(std::move(shape), std::move(grid), true, threads) {
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
    const auto& trees = trees_.trees();
    int merged = 0;
    for (const CsfTensor& tree : trees) merged += tree.merged_levels();
    const char* const count = trees_.policy() == CsfPolicy::all   ? "one tree a mode"
                              : trees_.policy() == CsfPolicy::two ? "two trees"
                                                                  : "one tree";
    return fmt::format("CSF, {}, {} of {} levels merged", count, merged, (order() - 1) * std::ssize(trees));
  }

  double cell_bytes() const override { return static_cast<double>(trees_.bytes()); }

  std::unique_ptr<SweepProducts> sweep_products(Index rank) const override {
    return std::make_unique<SharedProducts>(trees_, rank, threads_);
  }

  std::int64_t sweep_bytes(Index rank) const override { return active() ? FibreProducts::bytes(trees_, rank) : 0; }

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

  /// Exchanges of all modes, and the local number of every row that the nonzeros touch.
  std::vector<LocalRows> number_rows(const NonzeroPartition& partition, std::span<const SparseTensor> mine) {
    std::vector<LocalRows> numbers;
    Index nonzeros = 0;
    for (const SparseTensor& block : mine) nonzeros += block.nonzeros();
    for (int mode = 0; mode < order(); ++mode) {
      const std::vector<Index> touched = distinct_indices(mine, mode, shape_[static_cast<std::size_t>(mode)]);
      // Rows of spread slices are touched in several layers. Sums over all ranks go on beside the exchanges, so that these
      // need communicators of their own.
      const bool spreads = partition.spreads(static_cast<std::size_t>(mode));
      const Communicator ranks =
          spreads ? grid_.active_ranks().split(0, grid_.active_ranks().rank()) : grid_.layer(mode);
      exchanges_.push_back(sparse_row_exchange(ranks, touched));
      numbers.emplace_back(touched, rows(mode).global_rows, nonzeros);
    }
    return numbers;
  }

  /// Nonzeros in local numbers, without those that are kept apart.
  NonzeroList list_of(std::vector<SparseTensor> mine, const std::vector<LocalRows>& numbers,
                      const std::vector<Index>& local_shape, const std::optional<SplitEntries>& split, Index kept) {
    if (split) {
      std::vector<std::vector<std::uint32_t>> local(numbers.size());
      for (int mode = 0; mode < order(); ++mode) {
        local[static_cast<std::size_t>(mode)].resize(static_cast<std::size_t>(mine.front().nonzeros()));
        numbers[static_cast<std::size_t>(mode)].find(mine.front().indices(mode), local[static_cast<std::size_t>(mode)]);
        mine.front().release_indices(mode);
      }
      std::vector<double> values(mine.front().values().begin(), mine.front().values().end());
      hold_out_entries(local, values, kept, split->held.nonzeros());
      NonzeroList list(local_shape, static_cast<Index>(values.size()));
      for (int mode = 0; mode < order(); ++mode) list.set_mode(mode, 0, local[static_cast<std::size_t>(mode)]);
      list.set_values(0, values);
      return list;
    }
    NonzeroList list(local_shape, kept);
    std::vector<std::uint32_t> local(kTile);
    Index at = 0;
    for (SparseTensor& block : mine) {
      for (Index first = 0; first < block.nonzeros(); first += kTile) {
        const auto count = static_cast<std::size_t>(std::min(kTile, block.nonzeros() - first));
        const std::span<std::uint32_t> tile(local.data(), count);
        for (int mode = 0; mode < order(); ++mode) {
          numbers[static_cast<std::size_t>(mode)].find(
              std::as_const(block).indices(mode).subspan(static_cast<std::size_t>(first), count), tile);
          list.set_mode(mode, at + first, tile);
        }
        list.set_values(at + first, std::as_const(block).values().subspan(static_cast<std::size_t>(first), count));
      }
      at += block.nonzeros();
      block = SparseTensor();
    }
    return list;
  }

  void build(const NonzeroPartition& partition, std::vector<SparseTensor> mine,
             const std::optional<SplitEntries>& split) {
    Index kept = 0;
    for (const SparseTensor& block : mine) kept += block.nonzeros();
    if (split) {
      mine = joined(shape_, std::move(mine));
      append(mine.front(), split->held);
      append(mine.front(), split->candidates);
    }
    const std::vector<LocalRows> numbers = number_rows(partition, mine);
    std::vector<Index> local_shape;
    for (int mode = 0; mode < order(); ++mode) local_shape.push_back(std::max<Index>(1, rows(mode).rows()));
    NonzeroList list = list_of(std::move(mine), numbers, local_shape, split, kept);
    duplicates_ = list.sum_duplicates() + holdout_.merged;
    const std::size_t budget = tree_budget(order(), list.size());
    trees_ = CsfSet(std::move(list), budget);
  }

  CsfSet trees_;
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
  std::vector<SparseTensor> mine = redistribute(communicator, partition, shape, std::move(blocks));
  if (split)
    for (SparseTensor* part : {&split->held, &split->candidates}) {
      std::vector<SparseTensor> whole;
      whole.push_back(std::move(*part));
      *part = std::move(joined(shape, redistribute(communicator, partition, shape, std::move(whole))).front());
    }
  return std::make_unique<DistributedSparseTensor>(std::vector<Index>(shape.begin(), shape.end()), std::move(grid),
                                                   partition, std::move(mine), std::move(split), options.missing,
                                                   options.threads);
}

}  // namespace tempera
