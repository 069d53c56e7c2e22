#pragma once

#include <sys/types.h>

#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// The variable that names a trial's own folder, and marks all its processes.
constexpr const char* kTrialFolderVariable = "TEMPERA_TRIAL_DIR";

/// "NAME=value" of this process for a child: without what an MPI launcher has told this process about its own job, so that a
/// child may be an MPI program or start mpirun itself, and with `changes`.
std::vector<std::string> child_environment(std::span<const std::pair<std::string, std::string>> changes);

/// Of a child: a file that it reads, and where it writes.
struct ChildStreams {
  std::filesystem::path input;
  int output = -1;
  int error = -1;
};
/// Starts a program (found in PATH) as leader of a process group of its own, with default signals and no descriptors but
/// these three.
/// @param directory  where it starts; empty: here
/// @return its process, or 0 with `problem` the errno
pid_t start_group(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                  const std::filesystem::path& directory, const ChildStreams& streams, int& problem);

/// SIGKILL to all processes of this machine whose environment names this trial folder, or one below it; for those that left
/// the process group or outlived tempera. Only processes begun after `since` are looked at where that can be told.
/// @return how many there were
Index kill_strays(const std::filesystem::path& folder, pid_t since = 0);

}  // namespace tempera
