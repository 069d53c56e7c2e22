#include "drivers/session.hpp"

#include <mpi.h>

#include <csignal>
#include <optional>

#include "core/base/error.hpp"
#include "distributed/communicator/environment.hpp"
#include "drivers/first_process.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

namespace {

void set_blocking(int how, int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(how, &set, nullptr);
}

}  // namespace

int report_current_exception(const Launch& launch) noexcept {
  try {
    const Error error = current_exception_as_error();
    if (launch.is_first()) print_message(error.message() + "\n");
    return exit_status(error.category());
  } catch (...) {  // no memory for the message
    return exit_status(Category::environment);
  }
}

int run_session(const Launch& launch, const std::function<int(const Session&)>& body) {
  set_blocking(SIG_BLOCK, SIGUSR1);  // until somebody listens
  std::optional<StopRequest> signals;
  const MpiEnvironment mpi;
  signals.emplace();
  set_blocking(SIG_UNBLOCK, SIGUSR1);
  int status = 0;
  try {
    const Communicator world(MPI_COMM_WORLD);
    status = body({world, *signals});
  } catch (...) {
    status = report_current_exception(launch);
  }
  int ranks = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (status != 0 && ranks == 1) let_the_first_process_print(launch);  // started by the mpirun of another MPI
  if (mpi.owns()) MPI_Barrier(MPI_COMM_WORLD);
  return status;
}

}  // namespace tempera::drivers
