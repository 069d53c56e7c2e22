#pragma once

#include <sys/types.h>

namespace tempera::faults {

/// What happens to one counted call. A plan that kills before the call does not return from `decide`.
struct Decision {
  int error = 0;            ///< not 0: the call fails with this errno
  bool torn = false;        ///< half the bytes are written, then the process dies
  bool kill_after = false;  ///< the process dies when the call is done
};

/// Counts the call if it concerns the watched paths and this MPI rank, and says what shall happen to it. The second path
/// is the destination of a rename or link, or null.
Decision decide(const char* call, const char* path, const char* second = nullptr);
/// The same for an open descriptor.
Decision decide(const char* call, int descriptor);
/// Relative to an open folder, as the calls ending in -at take it.
Decision decide_at(const char* call, int folder, const char* path, int second_folder = -1,
                   const char* second = nullptr);

/// The descriptor was opened for writing (closing one that was only read changes nothing).
bool is_written(int descriptor);

/// SIGKILL to this process.
[[noreturn]] void die();

}  // namespace tempera::faults
