#pragma once

#include <mpi.h>

#include <string>
#include <vector>

namespace tempera::drivers {

/// Number that the launcher (mpirun, srun) gave this process, 0 without one. Known before MPI_Init.
int launcher_rank();
/// The one process of a job that prints.
inline bool launched_first() { return launcher_rank() == 0; }

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
/// Collective over `communicator`; the same on all ranks.
LaunchFacts launch_facts(MPI_Comm communicator);

/// What slows this launch down, one text each with its mend; empty if nothing does.
std::vector<std::string> launch_warnings(const LaunchFacts& facts, int threads);

/// `threads` OpenMP and BLAS threads for this process, whatever the environment says.
void set_threads(int threads);

/// MPI from construction to destruction. Errors that leave its scope must be agreed on by all ranks.
class MpiSession {
 public:
  MpiSession();
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
};

/// What every computing command does first once MPI runs: refuses a broken srun launch, sets the threads and, unless
/// quiet, lets the first process warn about cores. Collective over MPI_COMM_WORLD.
void begin_computation(int threads, bool quiet);

}  // namespace tempera::drivers
