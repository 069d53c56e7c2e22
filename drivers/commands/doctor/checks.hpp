#pragma once

#include <string>
#include <vector>

namespace tempera::drivers {

struct Finding {
  enum class Level { ok, warn, fail };
  Level level = Level::ok;
  std::string topic;
  std::string text;
  std::string mend;  ///< what to do about it; empty for OK
};
using Findings = std::vector<Finding>;

// Each check appends its findings. All are collective over MPI_COMM_WORLD and find the same number on every rank.

/// Version, git hash, build type, compiler and flags.
void check_build(Findings& findings);
/// Processor, instruction set, cores and memory of this node.
void check_machine(Findings& findings);
/// MPI library, ranks, launcher, root, oversubscription.
void check_launch(Findings& findings, int threads);
/// BLAS and HDF5.
void check_libraries(Findings& findings);
/// A Cholesky factorisation on all ranks against its closed form.
void check_scalapack(Findings& findings);
/// Triad bandwidth and multiply-add peak of all ranks at once; about half a second.
void check_speed(Findings& findings);

}  // namespace tempera::drivers
