#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "distributed/tensor/distributed_tensor.hpp"
#include "distributed/tensor/nonzero_partition.hpp"

namespace tempera {

namespace {

class DistributedDenseTensor final : public DistributedTensor {
 public:
  DistributedDenseTensor(std::vector<Index> shape, ProcessGrid grid, DenseTensor block)
      : DistributedTensor(std::move(shape), std::move(grid), false), block_(std::move(block)) {
    double squares = 0;
    if (active()) {
      const DenseBlock place = dense_block(grid_, shape_);
      TEMPERA_EXPECTS(block_.shape() == place.extents);
      for (int mode = 0; mode < order(); ++mode)
        exchanges_.push_back(dense_row_exchange(grid_.layer(mode), place.offsets[static_cast<std::size_t>(mode)],
                                                place.extents[static_cast<std::size_t>(mode)]));
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
    stored_cells_ = static_cast<Index>(cell_count(shape_));
    every_cell_stored_ = true;
    balance_ = static_cast<double>(most) * grid_.size() / cell_count(shape_);
  }

  std::string storage() const override { return "dense blocks"; }

  void mttkrp(std::span<const FactorMatrix> factors, int mode, FactorMatrix& result) const override {
    tempera::mttkrp(block_, factors, mode, result);
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
  DenseTensor block_;
};

}  // namespace

ProcessGrid choose_dense_grid(const Communicator& communicator, std::span<const Index> shape,
                              const std::vector<int>& grid) {
  check_shape(shape, true);
  if (!grid.empty()) {
    check_grid(shape, grid);
    return ProcessGrid(communicator, grid);
  }
  for (int ranks = communicator.size(); ranks > 1; --ranks) {
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
    if (!best.empty()) return ProcessGrid(communicator, best);
  }
  return ProcessGrid(communicator, std::vector<int>(shape.size(), 1));
}

DenseBlock dense_block(const ProcessGrid& grid, std::span<const Index> shape) {
  DenseBlock block{std::vector<Index>(shape.size(), 0), std::vector<Index>(shape.size(), 0)};
  if (!grid.active()) return block;
  for (std::size_t mode = 0; mode < shape.size(); ++mode) {
    const Index parts = grid.extents()[mode], part = grid.coordinate(static_cast<int>(mode));
    block.offsets[mode] = shape[mode] / parts * part + std::min(part, shape[mode] % parts);
    block.extents[mode] = shape[mode] / parts + (part < shape[mode] % parts ? 1 : 0);
  }
  return block;
}

std::unique_ptr<DistributedTensor> distribute(ProcessGrid grid, std::span<const Index> shape, DenseTensor block) {
  return std::make_unique<DistributedDenseTensor>(std::vector<Index>(shape.begin(), shape.end()), std::move(grid),
                                                  std::move(block));
}

}  // namespace tempera
