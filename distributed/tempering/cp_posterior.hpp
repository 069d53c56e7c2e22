#pragma once

#include <memory>

#include "core/sampling/cp_model.hpp"
#include "distributed/tempering/group_target.hpp"
#include "distributed/tensor/distributed_tensor.hpp"

namespace tempera {

/// Cells that a tensor keeps apart, in the order of their coordinates.
struct HeldCells {
  std::vector<HoldoutStratum> strata;
  CellList cells;            ///< global rows
  std::vector<int> stratum;  ///< of each cell, a position in `strata`

  bool empty() const { return strata.empty(); }
};

/// The posterior of the factors of a tensor, evaluated by the ranks of the communicator it is spread over.
struct CpPosterior {
  std::unique_ptr<GroupTarget> target;
  CpModelOptions options;  ///< with the defaults filled in
  HeldCells held;          ///< on the leader; without cells on the others, where `strata` says what holds for all

  const CpModel& model() const { return dynamic_cast<const CpModel&>(target->model()); }
};

/// Moves the cells of a tensor into fixed blocks (see CellBlocks), dealt over the ranks of its communicator: the posterior
/// has the same bits for any number of them, and for any grid. Absent cells are zeros, or not observed, as the tensor says;
/// cells kept apart are no part of the likelihood. The tensor is not needed afterwards.
///
/// @param blocks  0: default_blocks()
/// @throws Error{input} for a Poisson likelihood of values that are no counts, and as CpModel does
/// Memory: cp_posterior_bytes() and, until the tensor is gone, that. Collective over the tensor's communicator.
CpPosterior cp_posterior(const DistributedTensor& tensor, const CpModelOptions& options, Index blocks = 0);

/// Bytes that one of `ranks` ranks keeps of this posterior, to 10 %: cells in a tree a mode, the factors with their padding, and
/// on the leader θ, a gradient and the pieces of all blocks, for each clone.
/// @param cells  stored, those kept apart too
double cp_posterior_bytes(std::span<const Index> shape, double cells, Index rank, int ranks, Index clones);

}  // namespace tempera
