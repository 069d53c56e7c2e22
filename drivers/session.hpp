#pragma once

#include <functional>

#include "distributed/communicator/communicator.hpp"
#include "distributed/communicator/stop_request.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

/// Prints the exception that is being handled on the first process of the job and returns its exit status. Never
/// throws. @pre called from inside a catch block
int report_current_exception(const Launch& launch) noexcept;

/// What a command's work needs of its process while MPI runs.
struct Session {
  const Communicator& world;
  const StopRequest& signals;
};

/// Runs `body` with MPI and returns the exit status that it returns or that its exception has. Collective.
///
/// - The message of an exception is out before any process leaves: mpirun kills all others when one leaves with a
///   failure. The body must throw on all ranks or on none (see `collectively`); one that fails alone waits for the rest.
/// - Listens for signals from before MPI starts until after it has ended: one that comes meanwhile waits or is noted
///   in `signals`, but ends nobody.
int run_session(const Launch& launch, const std::function<int(const Session&)>& body);

}  // namespace tempera::drivers
