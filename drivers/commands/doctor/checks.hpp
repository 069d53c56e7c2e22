#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "distributed/communicator/communicator.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

struct Finding {
  enum class Level { ok, warn, fail };
  Level level = Level::ok;
  std::string topic;
  std::string text;
  std::string mend;  ///< what to do about it; empty for OK
};
using Findings = std::vector<Finding>;

// Each check appends its findings; those that take `world` are collective over it. What is printed are the findings of
// the first process.

/// Version, git hash, build type, compiler and flags.
void check_build(Findings& findings);
/// Processor, instruction set, cores and memory of this node.
void check_machine(Findings& findings);
/// MPI library, ranks, launcher, root, oversubscription. `facts` from launch_facts.
void check_launch(const Communicator& world, const Launch& launch, const LaunchFacts& facts, int threads,
                  Findings& findings);
/// An MPI library that a process has loaded.
struct LoadedMpi {
  std::string path;
  std::string vendor;  ///< "Open MPI", "MPICH or Intel MPI" …
};
/// Those in the text of /proc/self/maps, each once; by name and version of the file, as no symbol tells them apart.
std::vector<LoadedMpi> loaded_mpi(std::string_view maps);
/// Fails if this process has loaded more than one: calls then go to the first, while the other one's constants and
/// types are compiled in. To be called before MPI starts, which may crash then.
void check_one_mpi(Findings& findings);
/// BLAS, HDF5 and NetCDF.
void check_libraries(Findings& findings);
/// A Cholesky factorisation on all ranks against its closed form.
void check_scalapack(const Communicator& world, Findings& findings);
/// Triad bandwidth and multiply-add peak of all ranks at once; about half a second.
void check_speed(const Communicator& world, Findings& findings);

}  // namespace tempera::drivers
