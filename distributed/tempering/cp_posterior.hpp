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
/// cells kept apart are no part of the likelihood.
///
/// @param blocks  0: default_blocks()
/// @throws Error{input} for a Poisson likelihood of values that are no counts, and as CpModel does
/// Memory: see cp_posterior_memory; the tensor may go afterwards. Collective over the tensor's communicator.
CpPosterior cp_posterior(const DistributedTensor& tensor, const CpModelOptions& options, Index blocks = 0);

/// Bytes of a posterior on one rank of its group, before it is made. What samplers keep (states, moments) is theirs.
struct CpPosteriorMemory {
  double data = 0;        ///< cells in a tree a mode: at most so much, two thirds of it where fibres are long
  double building = 0;    ///< beside `data` and the tensor itself, until the posterior stands
  double evaluation = 0;  ///< on the leader for each clone: factors, pieces of all blocks, θ and a gradient of it
};
CpPosteriorMemory cp_posterior_memory(const DistributedTensor& tensor, Index rank);

}  // namespace tempera
