#include "tests/support/distributed.hpp"

#include <algorithm>
#include <cmath>

#include "distributed/tensor/nonzero_partition.hpp"

namespace tempera::test {

std::vector<SparseTensor> dealt(const Communicator& communicator, const SparseTensor& tensor) {
  constexpr Index kBlock = 7;
  std::vector<SparseTensor> blocks;
  std::vector<Index> cell(static_cast<std::size_t>(tensor.order()));
  for (Index k = communicator.rank(); k < tensor.nonzeros(); k += communicator.size()) {
    if (blocks.empty() || blocks.back().nonzeros() == kBlock) blocks.emplace_back(tensor.shape());
    for (int mode = 0; mode < tensor.order(); ++mode)
      cell[static_cast<std::size_t>(mode)] = tensor.indices(mode)[static_cast<std::size_t>(k)];
    blocks.back().append(cell, tensor.values()[static_cast<std::size_t>(k)]);
  }
  return blocks;
}

std::unique_ptr<DistributedTensor> distributed(const Communicator& communicator, const SparseTensor& tensor,
                                               const std::vector<int>& grid, const HoldoutOptions& holdout) {
  DistributionOptions options;
  options.grid = grid;
  options.holdout = holdout;
  return distribute(communicator, tensor.shape(), dealt(communicator, tensor), options);
}

std::unique_ptr<DistributedTensor> distributed(const Communicator& communicator, const DenseTensor& tensor,
                                               const std::vector<int>& grid, const HoldoutOptions& holdout) {
  ProcessGrid processes = choose_dense_grid(communicator, tensor.shape(), grid);
  const DenseBlock place = dense_block(processes, tensor.shape());
  DenseTensor block(place.extents);
  if (block.size() > 0) {
    std::vector<Index> local(place.extents.size(), 0), global(local);
    do {
      for (std::size_t mode = 0; mode < local.size(); ++mode) global[mode] = place.offsets[mode] + local[mode];
      block(local) = tensor(global);
    } while (next_cell(local, place.extents));
  }
  return distribute(std::move(processes), tensor.shape(), std::move(block), holdout);
}

FactorMatrix local_rows(const FactorMatrix& whole, const RowLayout& layout) {
  FactorMatrix local(layout.rows(), whole.columns());
  for (Index k = 0; k < layout.rows(); ++k)
    std::copy_n(whole.row(layout.global_rows[static_cast<std::size_t>(k)]), whole.columns(), local.row(k));
  return local;
}

KruskalTensor gathered(const DistributedTensor& tensor, const CpResult& result) {
  KruskalTensor model;
  model.weights = result.weights;
  const Communicator& all = tensor.grid().all();
  for (std::size_t mode = 0; mode < result.factors.size(); ++mode) {
    const FactorMatrix& mine = result.factors[mode];
    std::vector<double> packed;
    for (Index i = 0; i < mine.rows(); ++i) packed.insert(packed.end(), mine.row(i), mine.row(i) + mine.columns());
    const auto values = all.all_gather(std::span<const double>(packed));
    const auto rows = all.all_gather(std::span<const Index>(result.rows[mode]));
    FactorMatrix whole(tensor.shape()[mode], mine.columns());
    for (std::size_t k = 0; k < rows.size(); ++k)
      std::copy_n(values.data() + k * static_cast<std::size_t>(mine.columns()), mine.columns(), whole.row(rows[k]));
    model.factors.push_back(std::move(whole));
  }
  return model;
}

double direct_fit(const DenseTensor& tensor, const KruskalTensor& model) {
  double residual = 0, norm = 0;
  std::vector<Index> cell(tensor.shape().size(), 0);
  do {
    residual += std::pow(tensor(cell) - model(cell), 2);
    norm += std::pow(tensor(cell), 2);
  } while (next_cell(cell, tensor.shape()));
  return 1 - std::sqrt(residual / norm);
}

std::vector<std::vector<int>> grids_to_try(int ranks, const std::vector<Index>& shape) {
  auto grids = grid_candidates(ranks, shape);
  if (ranks > 1)
    for (auto& smaller : grid_candidates(ranks - 1, shape)) grids.push_back(std::move(smaller));
  return grids;
}

}  // namespace tempera::test
