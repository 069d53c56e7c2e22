#include "distributed/communicator/detail/mpi_call.hpp"

#include <fmt/format.h>
#include <mpi.h>

#include <string>

#include "core/base/error.hpp"

namespace tempera::detail {

void check_mpi(int code, const char* function) {
  if (code == MPI_SUCCESS) return;
  std::string text(MPI_MAX_ERROR_STRING, '\0');
  int length = 0;
  if (MPI_Error_string(code, text.data(), &length) != MPI_SUCCESS) length = 0;
  text.resize(static_cast<std::size_t>(length));
  throw Error(Category::environment, function, fmt::format("MPI failed: {}", text.empty() ? "unknown error" : text),
              "look for a lost node or an exhausted resource (memory, open files) in the job's log");
}

bool mpi_is_running() {
  int initialized = 0;
  int finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  return initialized != 0 && finalized == 0;
}

}  // namespace tempera::detail
