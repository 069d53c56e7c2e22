#include "distributed/tempering/cp_posterior.hpp"

#include <algorithm>
#include <numeric>

#include "distributed/als/cp_apr.hpp"
#include "distributed/tempering/distributed_cells.hpp"

namespace tempera {

namespace {

/// Stored cells of this rank; zeros among them say nothing where absent cells are zeros.
SparseTensor cells_of(const DistributedTensor& tensor) {
  SparseTensor cells(tensor.shape());
  if (!tensor.active()) return cells;
  const bool zeros_count = tensor.only_observed();
  tensor.for_each_cell([&](std::span<const Index> cell, double value) {
    if (zeros_count || value != 0) cells.append(cell, value);
  });
  return cells;
}

/// Cells kept apart that this rank of the tensor holds, in global rows.
CellList held_cells_of(const DistributedTensor& tensor) {
  CellList cells = tensor.holdout().cells;
  cells.indices.resize(static_cast<std::size_t>(tensor.order()));
  for (int mode = 0; mode < tensor.order() && cells.size() > 0; ++mode)
    for (Index& row : cells.indices[static_cast<std::size_t>(mode)])
      row = tensor.rows(mode).global_rows[static_cast<std::size_t>(row)];
  return cells;
}

SparseTensor as_tensor(const CellList& cells, const std::vector<Index>& shape) {
  SparseTensor tensor(shape);
  std::vector<Index> cell(shape.size());
  for (std::size_t k = 0; k < cells.values.size(); ++k) {
    for (std::size_t m = 0; m < cell.size(); ++m) cell[m] = cells.indices[m][k];
    tensor.append(cell, cells.values[k]);
  }
  return tensor;
}

/// All of them on the leader. Collective.
HeldCells gathered(const Communicator& group, const CellList& mine, const Holdout& holdout) {
  HeldCells all;
  all.strata = holdout.strata;
  if (holdout.empty()) return all;
  std::vector<std::vector<Index>> indices;
  for (const auto& mode : mine.indices) indices.push_back(group.gather(std::span<const Index>(mode), 0));
  const auto values = group.gather(std::span<const double>(mine.values), 0);
  auto stratum = holdout.stratum;
  stratum.resize(mine.values.size(), 0);  // of data with one stratum
  stratum = group.gather(std::span<const int>(stratum), 0);
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    for (const auto& mode : indices)
      if (mode[a] != mode[b]) return mode[a] < mode[b];
    return false;
  });
  all.cells.indices.resize(indices.size());
  for (const std::size_t k : order) {
    for (std::size_t m = 0; m < indices.size(); ++m) all.cells.indices[m].push_back(indices[m][k]);
    all.cells.values.push_back(values[k]);
    all.stratum.push_back(stratum[k]);
  }
  return all;
}

}  // namespace

CpPosterior cp_posterior(const DistributedTensor& tensor, const CpModelOptions& options, Index blocks) {
  const Communicator& group = tensor.grid().all();
  const auto region = group.regions().open("posterior");
  const bool counts = options.likelihood == CpLikelihood::poisson;
  if (counts) count_total(tensor);
  auto data = std::make_shared<CpData>();
  data->observed_only = tensor.only_observed();
  SparseTensor cells = cells_of(tensor);
  if (blocks == 0) blocks = default_blocks(group.all_reduce_value(cells.nonzeros(), Reduction::sum));
  data->cells = distribute_cells(group, std::move(cells), blocks);
  const CellList held = held_cells_of(tensor);
  data->held = distribute_cells(
      group, data->observed_only ? SparseTensor(tensor.shape()) : as_tensor(held, tensor.shape()), blocks);
  data->observed = data->observed_only ? static_cast<double>(data->cells.cells)
                                       : cell_count(tensor.shape()) - static_cast<double>(data->held.cells);
  const auto moments = block_moments(data->cells, counts);
  set_moments(group.all_gather(std::span<const CellMoments>(moments)), *data);
  auto model = std::make_unique<CpModel>(data, options);
  CpPosterior posterior;
  posterior.options = model->options();
  posterior.held = gathered(group, held, tensor.holdout());
  posterior.target = std::make_unique<GroupTarget>(group, std::move(model));
  return posterior;
}

CpPosteriorMemory cp_posterior_memory(const DistributedTensor& tensor, Index rank) {
  const auto order = static_cast<double>(tensor.order());
  const double cells = static_cast<double>(tensor.stored_cells()) / tensor.grid().all().size();
  double rows = 0;
  for (const Index size : tensor.shape()) rows += static_cast<double>(size);
  CpPosteriorMemory memory;
  memory.data = cells * order * (8 + 4 * order) + 4 * rows;
  memory.building = cells * (8 * (order + 1) + 2 * sizeof(KeyedCell));
  memory.evaluation = 8 * rows * static_cast<double>(padded_columns(rank) + 3 * rank);
  return memory;
}

}  // namespace tempera
