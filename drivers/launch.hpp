#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "distributed/communicator/communicator.hpp"

namespace tempera::drivers {

/// What the launcher (mpirun, srun) told this process through its environment. Read it before MPI starts: a process
/// alone gets variables of the same names from MPI_Init.
struct Launch {
  int rank = 0;   ///< number of this process, 0 without a launcher
  int ranks = 1;  ///< processes of the job, as far as the launcher says before MPI starts
  int unconnected_srun_tasks =
      0;                      ///< tasks of an srun without a process manager that MPI understands, 0 if all is well
  std::string launcher = {};  ///< "mpirun of Open MPI", "mpirun of MPICH" …, as far as it can be told, else ""
  int ranks_of_launcher = 0;  ///< what that one said, 0 if nothing

  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();  ///< of the process, nearly

  /// The one process of a job that prints.
  bool is_first() const { return rank == 0; }
};
Launch read_launch();

/// Each process of such an srun, or of the mpirun of another MPI, believes to be alone and would do the whole work.
/// @throws Error{environment} with the mend if the launcher started several processes and MPI sees one
void refuse_unconnected(const Launch& launch, int mpi_size);

/// "Open MPI v4.1.4", "MPICH 4.0.2", by MPI itself; needs no MPI_Init.
std::string mpi_library_name();

/// The busiest node of a job.
struct LaunchFacts {
  int ranks_on_node = 1;
  int cores_of_node = 1;  ///< logical processors that any rank on the node may use
  int cores_of_rank = 1;  ///< fewest that one rank may use
};
/// Collective over `world`; the same on all ranks. Uses MPI directly: call it before `collectively`, never inside, where
/// it would not notice a rank that has failed.
LaunchFacts launch_facts(const Communicator& world);

/// Name of the node this process runs on, as MPI says it. @pre MPI runs
std::string host_name();
/// The same of all ranks, in their order: on rank 0, empty elsewhere. Collective.
std::vector<std::string> host_names(const Communicator& world);

/// What slows this launch down, one text each with its mend; empty if nothing does.
std::vector<std::string> launch_warnings(const LaunchFacts& facts, int threads);

/// `threads` OpenMP threads for this process, each of which calls BLAS on its own, so one BLAS thread; whatever the
/// environment says.
void set_threads(int threads);

/// What every computing command does first once MPI runs: refuses a broken srun launch, sets the threads and, unless
/// quiet, lets the first process warn about cores. Collective over `world`; call it before `collectively`.
/// @throws Error{environment} on every rank
LaunchFacts begin_computation(const Communicator& world, const Launch& launch, int threads, bool quiet);

}  // namespace tempera::drivers
