#pragma once

#include <csignal>
#include <functional>
#include <utility>
#include <vector>

#include "distributed/communicator/communicator.hpp"

namespace tempera {

/// Listens for the signals that ask a run to save and stop, for as long as the object lives; the handlers that were
/// there before come back afterwards. One object at a time in a process.
///
/// SIGUSR1 always; SIGTERM and SIGINT only when MPI runs a single process, since mpirun kills its ranks on those.
class StopRequest {
 public:
  /// @pre no other StopRequest exists
  StopRequest();
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  /// This process got a signal. For merging with a reduction that is due anyway.
  bool local() const;
  /// Any rank got a signal: the same answer on all ranks at the same step. Collective; costs one arrival.
  bool requested(const Communicator& communicator) const;
  /// local() asks this too from now on, and stays true once it said so: for a request that comes to this process in
  /// another way. An empty function ends that. Only one thread may call local() meanwhile.
  void ask_too(std::function<bool()> others) const;

 private:
  std::vector<std::pair<int, struct sigaction>> previous_;
  mutable std::function<bool()> others_;
};

}  // namespace tempera
