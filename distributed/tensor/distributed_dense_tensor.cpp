#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/tensor/dimension_tree.hpp"
#include "distributed/tensor/distributed_tensor.hpp"
#include "distributed/tensor/exchange_model.hpp"
#include "distributed/tensor/nonzero_partition.hpp"

namespace tempera {

namespace {

class TreeProducts final : public SweepProducts {
 public:
  TreeProducts(const DenseTensor& block, Index rank, int threads)
      : block_(block), tree_(block.shape(), rank), threads_(threads) {}

  void mttkrp(std::span<const FactorMatrix> factors, std::span<const std::uint64_t> versions, int mode,
              FactorMatrix& result, const RowProgress*) override {
    tree_.mttkrp(block_, factors, versions, mode, result, threads_);
  }

 private:
  const DenseTensor& block_;
  DimensionTree tree_;
  int threads_;
};

class DistributedDenseTensor final : public DistributedTensor {
 public:
  DistributedDenseTensor(std::vector<Index> shape, ProcessGrid grid, DenseTensor block, const HoldoutOptions& holdout,
                         int threads)
      : DistributedTensor(std::move(shape), std::move(grid), false, threads), block_(std::move(block)) {
    double squares = 0;
    if (active()) {
      const DenseBlock place = dense_block(grid_, shape_);
      TEMPERA_EXPECTS(block_.shape() == place.extents);
      for (int mode = 0; mode < order(); ++mode)
        exchanges_.push_back(dense_row_exchange(grid_.layer(mode), place.offsets[static_cast<std::size_t>(mode)],
                                                place.extents[static_cast<std::size_t>(mode)]));
      if (holdout.share > 0) hold_out_cells(place, holdout);
      const Index column = block_.shape().front();
      for (Index begin = 0; begin < block_.size(); begin += column) {  // one partial sum a column keeps the last digits
        double run = 0;
        for (double value : block_.values().subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(column)))
          run += value * value;
        squares += run;
      }
    }
    for (double value : block_.values()) largest_magnitude_ = std::max(largest_magnitude_, std::abs(value));
    largest_magnitude_ = grid_.all().all_reduce_value(largest_magnitude_, Reduction::maximum);
    norm_squared_ = grid_.all().all_reduce_value(squares, Reduction::sum);
    const Index most = grid_.all().all_reduce_value(block_.size(), Reduction::maximum);
    count_exchanged_rows();
    stored_cells_ = static_cast<Index>(cell_count(shape_));
    every_cell_stored_ = true;
    balance_ = static_cast<double>(most) * grid_.size() / cell_count(shape_);
    if (holdout.share > 0)
      holdout_.strata = {{"cells", grid_.all().all_reduce_value(holdout_.cells.size(), Reduction::sum),
                          static_cast<double>(stored_cells_)}};
  }

  std::string storage() const override { return "dense blocks"; }

  double cell_bytes() const override { return 8 * static_cast<double>(block_.size()); }

  void mttkrp(std::span<const FactorMatrix> factors, int mode, FactorMatrix& result) const override {
    tempera::mttkrp(block_, factors, mode, result, threads_);
  }

  std::unique_ptr<SweepProducts> sweep_products(Index rank) const override {
    return std::make_unique<TreeProducts>(block_, rank, threads_);
  }

  std::int64_t sweep_bytes(Index rank) const override {
    return active() ? DimensionTree::bytes(block_.shape(), rank) : 0;
  }

  ResidualSums residual_sums(std::span<const FactorMatrix> factors, std::span<const double> weights) const override {
    return tempera::residual_sums(block_, factors, weights);
  }

  void count_products(std::span<const FactorMatrix> factors, int mode, CountContent content,
                      FactorMatrix& result) const override {
    tempera::count_products(block_, factors, mode, content, result);
  }

  CountSums count_sums(std::span<const FactorMatrix> factors, std::span<const double> weights) const override {
    return tempera::count_sums(block_, factors, weights);
  }

  void for_each_cell(const std::function<void(std::span<const Index>, double)>& visit) const override {
    if (block_.size() == 0) return;
    const DenseBlock place = dense_block(grid_, shape_);
    std::vector<Index> local(shape_.size(), 0), global(shape_.size());
    std::size_t position = 0;
    do {
      for (std::size_t mode = 0; mode < local.size(); ++mode) global[mode] = place.offsets[mode] + local[mode];
      visit(global, block_.values()[position++]);
    } while (next_cell(local, block_.shape()));
  }

 private:
  /// Lists the cells that are kept apart and sets them to zero.
  void hold_out_cells(const DenseBlock& place, const HoldoutOptions& options) {
    std::vector<FactorMatrix> kept_in_row;
    for (Index extent : block_.shape()) kept_in_row.emplace_back(extent, 1);
    CellList all;
    all.indices.resize(shape_.size());
    std::vector<Index> local(shape_.size(), 0), global(shape_.size());
    std::vector<std::size_t> positions;
    std::size_t position = 0;
    do {
      for (std::size_t mode = 0; mode < local.size(); ++mode) global[mode] = place.offsets[mode] + local[mode];
      if (is_held(global, options)) {
        for (std::size_t mode = 0; mode < local.size(); ++mode) all.indices[mode].push_back(local[mode]);
        all.values.push_back(block_.values()[position]);
        positions.push_back(position);
      } else {
        for (std::size_t mode = 0; mode < local.size(); ++mode) kept_in_row[mode](local[mode], 0) += 1;
      }
      ++position;
    } while (next_cell(local, block_.shape()));
    const auto returns = cells_to_return(grid_.active_ranks(), exchanges_, kept_in_row, all, holdout_);
    holdout_.cells.indices.resize(shape_.size());
    for (std::size_t cell = 0; cell < returns.size(); ++cell) {
      if (returns[cell]) continue;
      for (std::size_t mode = 0; mode < local.size(); ++mode)
        holdout_.cells.indices[mode].push_back(all.indices[mode][cell]);
      holdout_.cells.values.push_back(all.values[cell]);
      holdout_.stratum.push_back(0);
      block_.values()[positions[cell]] = 0;
    }
    holdout_.cells.shrink_to_fit();
    holdout_.stratum.shrink_to_fit();
  }

  DenseTensor block_;
};

}  // namespace

std::vector<int> dense_grid_for(int most_ranks, std::span<const Index> shape) {
  for (int ranks = most_ranks; ranks > 1; --ranks) {
    std::vector<int> best;
    double least = std::numeric_limits<double>::infinity();
    for (const auto& candidate : grid_candidates(ranks, shape)) {
      double rows = 0;
      for (std::size_t mode = 0; mode < shape.size(); ++mode)
        rows += static_cast<double>(shape[mode]) / candidate[mode];
      if (rows < least) {
        least = rows;
        best = candidate;
      }
    }
    if (!best.empty()) return best;
  }
  return std::vector<int>(shape.size(), 1);
}

ProcessGrid choose_dense_grid(const Communicator& communicator, std::span<const Index> shape,
                              const std::vector<int>& grid) {
  check_shape(shape, true);
  if (grid.empty()) return ProcessGrid(communicator, dense_grid_for(communicator.size(), shape));
  check_grid(shape, grid);
  return ProcessGrid(communicator, grid);
}

DenseBlock dense_block(const ProcessGrid& grid, std::span<const Index> shape) {
  DenseBlock block{std::vector<Index>(shape.size(), 0), std::vector<Index>(shape.size(), 0)};
  if (!grid.active()) return block;
  for (std::size_t mode = 0; mode < shape.size(); ++mode) {
    const EvenPart part = even_part(shape[mode], grid.extents()[mode], grid.coordinate(static_cast<int>(mode)));
    block.offsets[mode] = part.first;
    block.extents[mode] = part.count;
  }
  return block;
}

std::unique_ptr<DistributedTensor> distribute(ProcessGrid grid, std::span<const Index> shape, DenseTensor block,
                                              const HoldoutOptions& holdout, int threads) {
  return std::make_unique<DistributedDenseTensor>(std::vector<Index>(shape.begin(), shape.end()), std::move(grid),
                                                  std::move(block), holdout, threads);
}

}  // namespace tempera
