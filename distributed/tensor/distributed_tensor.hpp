#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/tensor/count_products.hpp"
#include "core/tensor/csf_set.hpp"
#include "core/tensor/dense_tensor.hpp"
#include "core/tensor/mttkrp.hpp"
#include "core/tensor/sparse_tensor.hpp"
#include "distributed/communicator/communicator.hpp"
#include "distributed/communicator/process_grid.hpp"
#include "distributed/tensor/holdout.hpp"
#include "distributed/tensor/row_exchange.hpp"

namespace tempera {

/// Factor rows that travel in one sweep: reduced to their owners and shared again, all modes together.
struct ExchangedRows {
  Index total = 0;     ///< sent by all ranks
  Index most = 0;      ///< sent by one rank
  Index if_dense = 0;  ///< all ranks, if every rank that takes part in a mode exchanged every row of it
};

/// MTTKRPs of one rank's block in a sequence of sweeps, which may keep between the modes what these have in common.
class SweepProducts {
 public:
  virtual ~SweepProducts() = default;
  /// As DistributedTensor::mttkrp, and with bits that do not depend on what was kept.
  /// @param versions  one a factor; different from that of the last call where the factor has moved since
  /// @param progress  may be null; the kernel may call nothing of it
  virtual void mttkrp(std::span<const FactorMatrix> factors, std::span<const std::uint64_t> versions, int mode,
                      FactorMatrix& result, const RowProgress* progress) = 0;
};

/// A tensor spread over the ranks of a process grid, as the sweeps see it.
///
/// Each active rank holds one block of cells and, for every mode, the factor rows its block touches (rows(mode)).
/// mttkrp and residual_sums are local; what follows them is in RowExchange and the communicator.
class DistributedTensor {
 public:
  virtual ~DistributedTensor() = default;
  DistributedTensor(const DistributedTensor&) = delete;
  DistributedTensor& operator=(const DistributedTensor&) = delete;

  int order() const { return static_cast<int>(shape_.size()); }
  /// Global sizes.
  const std::vector<Index>& shape() const { return shape_; }
  const ProcessGrid& grid() const { return grid_; }
  bool active() const { return grid_.active(); }
  /// OpenMP threads of the kernels on this rank, for those that work on its rows as well.
  int threads() const { return threads_; }

  /// Stored cells of the whole tensor, those kept apart too: all cells when dense, distinct coordinates when sparse.
  Index stored_cells() const { return stored_cells_; }
  /// True when no cell is implicitly zero for the kernels.
  bool every_cell_stored() const { return every_cell_stored_; }
  /// Cells that are not stored are not observed, and there are some: a fit is one to the stored cells.
  bool only_observed() const { return missing_ == Missing::unobserved && !every_cell_stored_; }
  double norm_squared() const { return norm_squared_; }
  /// Largest |x| of a stored cell.
  double largest_magnitude() const { return largest_magnitude_; }
  /// Stored as coordinates or trees: cells that are not stored are zero.
  bool sparse() const { return sparse_; }
  /// Most stored cells on a rank over their mean on the active ranks.
  double balance() const { return balance_; }
  const ExchangedRows& exchanged_rows() const { return exchanged_rows_; }
  /// Duplicate coordinates that were summed (sparse).
  Index duplicates() const { return duplicates_; }
  /// Cells kept apart: no part of the norm and of the kernels below, where they count as zeros. On inactive ranks only
  /// what holds for all ranks.
  const Holdout& holdout() const { return holdout_; }
  /// One line for people: how the data lie, "CSF, one tree a mode, 3 of 6 levels merged" (see CsfTensor).
  virtual std::string storage() const = 0;
  /// Bytes that this rank keeps: the cells, 8 for each row number and each row that another rank holds too, and for each
  /// cell kept apart 8 (order + 1) + 4.
  double bytes() const;

  /// @pre active()
  const RowExchange& exchange(int mode) const { return *exchanges_[static_cast<std::size_t>(mode)]; }
  const RowLayout& rows(int mode) const { return exchange(mode).layout(); }

  /// Contribution of this rank's block; `result` has rows(mode).rows() rows. Local. @pre active()
  virtual void mttkrp(std::span<const FactorMatrix> factors, int mode, FactorMatrix& result) const = 0;
  /// The same for sweeps at this rank; may not outlive the tensor. Local. @pre active()
  virtual std::unique_ptr<SweepProducts> sweep_products(Index rank) const;
  /// Memory of what sweep_products(rank) keeps on this MPI rank. Local.
  virtual std::int64_t sweep_bytes(Index) const { return 0; }
  /// Sums over the stored cells of this rank's block. Local. @pre active()
  virtual ResidualSums residual_sums(std::span<const FactorMatrix> factors, std::span<const double> weights) const = 0;
  /// The same for a Poisson model of counts; see core/tensor/count_products.hpp. Local. @pre active()
  virtual void count_products(std::span<const FactorMatrix> factors, int mode, CountContent content,
                              FactorMatrix& result) const = 0;
  virtual CountSums count_sums(std::span<const FactorMatrix> factors, std::span<const double> weights) const = 0;
  /// Calls with the global coordinates and the value of every stored cell of this rank, in any order, without those
  /// that are kept apart. Local.
  virtual void for_each_cell(const std::function<void(std::span<const Index>, double)>& visit) const = 0;

 protected:
  DistributedTensor(std::vector<Index> shape, ProcessGrid grid, bool sparse, int threads)
      : shape_(std::move(shape)), grid_(std::move(grid)), threads_(threads), sparse_(sparse) {}

  virtual double cell_bytes() const = 0;

  /// Fills exchanged_rows_ when the exchanges stand. Collective over all ranks.
  void count_exchanged_rows();

  std::vector<Index> shape_;
  ProcessGrid grid_;
  int threads_;
  std::vector<std::unique_ptr<RowExchange>> exchanges_;
  Index stored_cells_ = 0;
  bool every_cell_stored_ = false;
  Missing missing_ = Missing::zero;
  double norm_squared_ = 0;
  double largest_magnitude_ = 0;
  double balance_ = 1;
  ExchangedRows exchanged_rows_;
  Index duplicates_ = 0;
  Holdout holdout_;

 private:
  bool sparse_;
};

inline double DistributedTensor::bytes() const {
  double sum = cell_bytes();
  for (const auto& exchange : exchanges_) sum += static_cast<double>(exchange->bytes());
  return sum + (8.0 * (order() + 1) + 4) * static_cast<double>(holdout_.cells.size());
}

struct DistributionOptions {
  std::vector<int> grid;  ///< extents of the process grid; empty: chosen from the data
  int threads = 1;        ///< OpenMP threads of the local kernels and of what is done to factor rows
  Missing missing = Missing::zero;
  HoldoutOptions holdout;
};

/// Distributes a sparse tensor from coordinates that lie anywhere: each rank passes what it has, in blocks (consumed).
/// Global 0-based indices in the user's labels; duplicates are summed. Collective.
/// @throws Error{usage} for a grid that does not fit, Error{shape} for an impossible shape
/// Memory a rank: the coordinates twice over at most while building (8(N + 1) bytes a nonzero each), then the CSF trees.
std::unique_ptr<DistributedTensor> distribute(const Communicator& communicator, std::span<const Index> shape,
                                              std::vector<SparseTensor> blocks,
                                              const DistributionOptions& options = {});

/// Where the dense block of a rank lies in the whole tensor.
struct DenseBlock {
  std::vector<Index> offsets;
  std::vector<Index> extents;  ///< all zero on inactive ranks
};

/// Grid for a dense tensor: the one on which a sweep moves the fewest words, Σ_n 2 rank I_n (1/p_n − 1/P) on a rank (for a
/// given number P of ranks that with the smallest Σ I_n / p_n). Fewer ranks are used where the sizes leave no grid of all.
std::vector<int> dense_grid_for(int most_ranks, std::span<const Index> shape);
/// The same as a grid of these ranks, or fixed extents. @throws Error{usage} when these do not fit
ProcessGrid choose_dense_grid(const Communicator& communicator, std::span<const Index> shape,
                              const std::vector<int>& grid = {});
/// Block of this rank: an even split of every mode.
DenseBlock dense_block(const ProcessGrid& grid, std::span<const Index> shape);

/// Makes a distributed tensor of dense blocks that each active rank already holds as dense_block(grid, shape) says.
/// Collective.
std::unique_ptr<DistributedTensor> distribute(ProcessGrid grid, std::span<const Index> shape, DenseTensor block,
                                              const HoldoutOptions& holdout = {}, int threads = 1);

}  // namespace tempera
