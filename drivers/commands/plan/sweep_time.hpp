#pragma once

#include <span>
#include <vector>

#include "distributed/als/cp_traffic.hpp"
#include "distributed/tensor/planned_tensor.hpp"
#include "drivers/commands/plan/placement.hpp"
#include "drivers/machine/machine.hpp"

namespace tempera::drivers {

/// Seconds of one sweep on the slowest rank.
struct SweepTime {
  double compute = 0;
  double communication = 0;

  double total() const { return compute + communication; }
  double share() const { return total() > 0 ? communication / total() : 0; }
};

/// What the kernels of a rank go through in one sweep: of the rank with most cells.
struct SweepWork {
  double flops = 0;
  double bytes = 0;  ///< moved between memory and core
};

/// Work of the sweeps of plain CP-ALS, of least squares over observed cells, and of Poisson models.
/// @param cells  of the rank
/// @param bytes  of these cells, trees or dense block
SweepWork sweep_work(const SweepTensor& tensor, bool dense, const CpOptions& options, bool counts, double cells,
                     double bytes, std::span<const RankRows> rows);
double compute_seconds(const SweepWork& work, const Machine& machine, const Placement& placement, int threads);

/// Time of one operation, α a message and β a byte on its heaviest rank; nothing is sent before all ranks that take part have
/// entered, which takes ⌈log2 P⌉ messages.
double operation_seconds(const SweepOperation& operation, const ModeRows& rows, int ranks, const Placement& placement,
                         const Traffic& heaviest);

}  // namespace tempera::drivers
