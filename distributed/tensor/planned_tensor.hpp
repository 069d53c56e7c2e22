#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/tensor/csf_set.hpp"
#include "distributed/tensor/exchange_model.hpp"
#include "distributed/tensor/load.hpp"

namespace tempera {

/// How a tensor lies on the ranks of a job that need not run.
struct PlannedLayout {
  std::vector<int> grid;
  int ranks = 1;  ///< of the grid; may be below those asked for
  std::vector<ModeRows> modes;
  std::vector<Index> cells;  ///< of each rank: those of its dense block, or nonzeros before duplicates are summed
  std::vector<std::int32_t> rank_of;  ///< each nonzero's; empty for dense tensors

  int fullest() const;
  /// Most cells on a rank over their mean.
  double balance() const;
};

/// Bytes of a rank's cells, and how the memory grows while they are read.
struct PlannedCells {
  double nonzeros = 0;     ///< distinct ones, or cells of the dense block
  double bytes = 0;        ///< the trees, or the dense block
  double sweep_bytes = 0;  ///< DistributedTensor::sweep_bytes
  double list_bytes = 0;   ///< of the list that the trees are built from, with its second copy while it is sorted
};

/// A whole tensor on this process, and how it would lie on any number of ranks: the same code chooses the same partition for
/// N ranks as a job of N ranks does, and from it follow all row exchanges. Sparse tensors are held as coordinates.
class PlannedTensor {
 public:
  /// @param self      this process alone
  /// @param content   read by `self`
  /// @throws Error{environment} for more nonzeros than can be planned for
  PlannedTensor(const Communicator& self, TensorContent content, const DistributionOptions& options);

  const std::vector<Index>& shape() const { return shape_; }
  bool dense() const { return dense_; }
  /// Cells that a run stores, those kept apart too: DistributedTensor::stored_cells.
  double stored_cells() const { return stored_cells_; }
  bool only_observed() const;
  bool holdout() const { return holdout_.share > 0; }
  /// Nonzeros that the partition is chosen for.
  std::span<const SparseTensor> blocks() const { return std::span(blocks_).first(fitted_blocks_); }
  /// Those of rows(): with what is kept apart.
  std::span<const SparseTensor> all_blocks() const { return blocks_; }
  /// By the rows they touch, those kept apart too. @pre !dense()
  const NonzeroRows& rows() const { return *rows_; }

  /// @param most_sampled  see PartitionChooser
  /// Cost: O(nonzeros · order) for each grid that is looked at, whatever the ranks.
  PlannedLayout layout(int ranks, const std::vector<int>& grid = {},
                       Index most_sampled = std::numeric_limits<Index>::max());
  /// The cells of one rank, made as a run would make them. @param rank_of_model  columns of the factors
  PlannedCells cells(const PlannedLayout& layout, int rank, Index rank_of_model) const;

 private:
  SparseTensor nonzeros_of(const PlannedLayout& layout, int rank) const;

  Communicator self_;
  std::vector<Index> shape_;
  bool dense_;
  HoldoutOptions holdout_;
  Missing missing_;
  std::vector<SparseTensor> blocks_;  ///< those of the fit, then those kept apart
  std::size_t fitted_blocks_ = 0;
  double stored_cells_ = 0;
  std::optional<NonzeroRows> rows_;
  std::unique_ptr<PartitionChooser> chooser_;
};

/// Bytes that CSF trees may take for so many nonzeros: enough for a tree a mode up to order 5.
std::size_t tree_budget(int order, Index nonzeros);

}  // namespace tempera
