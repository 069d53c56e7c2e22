#pragma once

#include <string>
#include <vector>

#include "distributed/communicator/communicator.hpp"

namespace tempera::drivers {

/// Number that the launcher (mpirun, srun) gave this process, 0 without one. Known before MPI_Init.
int launcher_rank();
/// The one process of a job that prints.
inline bool launched_first() {
  return launcher_rank() == 0;
}

/// True if srun started several tasks without a process manager that MPI understands, so that each of them believes to
/// be alone.
bool srun_without_process_manager();
/// @throws Error{environment} with the mend if srun_without_process_manager() and MPI sees one process only
void refuse_srun_without_process_manager(int mpi_size);

/// The busiest node of a job.
struct LaunchFacts {
  int ranks_on_node = 1;
  int cores_of_node = 1;  ///< logical processors that any rank on the node may use
  int cores_of_rank = 1;  ///< fewest that one rank may use
};
/// Collective over `world`; the same on all ranks.
LaunchFacts launch_facts(const Communicator& world);

/// What slows this launch down, one text each with its mend; empty if nothing does.
std::vector<std::string> launch_warnings(const LaunchFacts& facts, int threads);

/// `threads` OpenMP and BLAS threads for this process, whatever the environment says.
void set_threads(int threads);

/// What every computing command does first once MPI runs: refuses a broken srun launch, sets the threads and, unless
/// quiet, lets the first process warn about cores. Collective over `world`.
/// @throws Error{environment} on every rank
void begin_computation(const Communicator& world, int threads, bool quiet);

}  // namespace tempera::drivers
