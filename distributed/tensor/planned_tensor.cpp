#include "distributed/tensor/planned_tensor.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/tensor/dimension_tree.hpp"
#include "core/tensor/fibre_products.hpp"
#include "distributed/tensor/local_rows.hpp"

namespace tempera {

namespace {

/// CSF trees may take this share of the 8(N + 1) bytes a nonzero that the coordinates took.
constexpr double kTreeBudget = 2.6;

/// Distinct coordinates, by 64-bit hashes of them: two of a million million pairs of cells are taken for one.
double distinct_cells(std::span<const SparseTensor> blocks) {
  std::vector<std::uint64_t> hashes;
  for (const SparseTensor& block : blocks)
    for (std::size_t k = 0; k < static_cast<std::size_t>(block.nonzeros()); ++k) {
      std::uint64_t hash = 0;
      for (int mode = 0; mode < block.order(); ++mode)
        hash = mix_bits(hash ^ static_cast<std::uint64_t>(block.indices(mode)[k]));
      hashes.push_back(hash);
    }
  std::sort(hashes.begin(), hashes.end());
  return static_cast<double>(std::unique(hashes.begin(), hashes.end()) - hashes.begin());
}

/// Nonzeros in the numbers of the rows they touch, in increasing order of these; the trees do not depend on which order.
NonzeroList local_list(const SparseTensor& mine, std::span<const Index> shape) {
  std::vector<Index> local_shape;
  std::vector<std::vector<std::uint32_t>> local(shape.size());
  for (std::size_t m = 0; m < shape.size(); ++m) {
    const std::vector<Index> touched = distinct_indices(std::span(&mine, 1), static_cast<int>(m), shape[m]);
    local_shape.push_back(std::max<Index>(1, std::ssize(touched)));
    local[m].resize(static_cast<std::size_t>(mine.nonzeros()));
    LocalRows(touched, touched, mine.nonzeros()).find(mine.indices(static_cast<int>(m)), local[m]);
  }
  NonzeroList list(local_shape, mine.nonzeros());
  for (std::size_t m = 0; m < shape.size(); ++m) list.set_mode(static_cast<int>(m), 0, local[m]);
  list.set_values(0, mine.values());
  list.sum_duplicates();
  return list;
}

}  // namespace

std::size_t tree_budget(int order, Index nonzeros) {
  return static_cast<std::size_t>(kTreeBudget * 8 * (order + 1) * static_cast<double>(nonzeros));
}

int PlannedLayout::fullest() const {
  return static_cast<int>(std::max_element(cells.begin(), cells.end()) - cells.begin());
}

double PlannedLayout::balance() const {
  const auto total = static_cast<double>(std::accumulate(cells.begin(), cells.end(), Index{0}));
  return total > 0 ? static_cast<double>(*std::max_element(cells.begin(), cells.end())) * ranks / total : 1;
}

PlannedTensor::PlannedTensor(const Communicator& self, TensorContent content, const DistributionOptions& options)
    : self_(self),
      shape_(std::move(content.shape)),
      dense_(content.dense),
      holdout_(options.holdout),
      missing_(options.missing),
      blocks_(std::move(content.blocks)) {
  if (dense_) {
    stored_cells_ = cell_count(shape_);
    return;
  }
  stored_cells_ = distinct_cells(blocks_);
  std::optional<SplitEntries> split;
  if (holdout()) split = split_entries(self_, shape_, blocks_, holdout_, missing_);
  fitted_blocks_ = blocks_.size();
  if (split) blocks_.push_back(std::move(split->held));
  if (split) blocks_.push_back(std::move(split->candidates));
  rows_.emplace(shape_, blocks_);
  chooser_ = std::make_unique<PartitionChooser>(self_, shape_, blocks());
}

bool PlannedTensor::only_observed() const {
  return missing_ == Missing::unobserved && !dense_ && stored_cells_ != cell_count(shape_);
}

PlannedLayout PlannedTensor::layout(int ranks, const std::vector<int>& grid, Index most_sampled) {
  PlannedLayout layout;
  if (dense_) {
    if (!grid.empty()) check_grid(shape_, grid);
    layout.grid = grid.empty() ? dense_grid_for(ranks, shape_) : grid;
    layout.ranks = grid_ranks(layout.grid);
    layout.modes = dense_mode_rows(shape_, layout.grid);
    layout.cells.assign(static_cast<std::size_t>(layout.ranks), 1);
    for (std::size_t rank = 0; rank < layout.cells.size(); ++rank)
      for (const ModeRows& mode : layout.modes) layout.cells[rank] *= mode.rows[rank].touched;
    return layout;
  }
  const NonzeroPartition partition = chooser_->choose(ranks, grid, most_sampled);
  layout.grid = partition.grid;
  layout.ranks = grid_ranks(layout.grid);
  layout.rank_of = rows_->ranks_of(partition, blocks_);
  for (int mode = 0; mode < rows_->order(); ++mode)
    layout.modes.push_back(rows_->exchange(mode, partition, layout.rank_of));
  layout.cells.assign(static_cast<std::size_t>(layout.ranks), 0);
  const auto fitted = static_cast<std::size_t>(chooser_->nonzeros());
  for (std::size_t k = 0; k < fitted; ++k) ++layout.cells[static_cast<std::size_t>(layout.rank_of[k])];
  return layout;
}

SparseTensor PlannedTensor::nonzeros_of(const PlannedLayout& layout, int rank) const {
  SparseTensor mine(shape_);
  mine.reserve(layout.cells[static_cast<std::size_t>(rank)]);
  std::vector<Index> cell(shape_.size());
  std::size_t number = 0;
  for (const SparseTensor& block : blocks())
    for (std::size_t k = 0; k < static_cast<std::size_t>(block.nonzeros()); ++k)
      if (layout.rank_of[number++] == rank) {
        for (std::size_t m = 0; m < cell.size(); ++m) cell[m] = block.indices(static_cast<int>(m))[k];
        mine.append(cell, block.values()[k]);
      }
  return mine;
}

PlannedCells PlannedTensor::cells(const PlannedLayout& layout, int rank, Index rank_of_model) const {
  PlannedCells cells;
  cells.nonzeros = static_cast<double>(layout.cells[static_cast<std::size_t>(rank)]);
  if (dense_) {
    std::vector<Index> extents;
    for (const ModeRows& mode : layout.modes) extents.push_back(mode.rows[static_cast<std::size_t>(rank)].touched);
    cells.bytes = 8 * cells.nonzeros;
    cells.sweep_bytes = static_cast<double>(DimensionTree::bytes(extents, rank_of_model));
    return cells;
  }
  if (cells.nonzeros == 0) return cells;
  NonzeroList list = local_list(nonzeros_of(layout, rank), shape_);
  cells.nonzeros = static_cast<double>(list.size());
  cells.list_bytes = 2 * static_cast<double>(list.bytes());
  const std::size_t budget = tree_budget(static_cast<int>(shape_.size()), list.size());
  const CsfSet trees(std::move(list), budget);
  cells.bytes = static_cast<double>(trees.bytes());
  cells.sweep_bytes = static_cast<double>(FibreProducts::bytes(trees, rank_of_model));
  return cells;
}

}  // namespace tempera
