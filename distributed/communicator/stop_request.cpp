#include "distributed/communicator/stop_request.hpp"

#include <mpi.h>

#include <atomic>

#include "core/base/contract.hpp"
#include "distributed/communicator/detail/channel.hpp"
#include "distributed/communicator/detail/mpi_call.hpp"

namespace tempera {

namespace {

// A signal handler gets no argument of ours, so its flag has to be global.
std::atomic<bool> signal_seen{false};
std::atomic<bool> installed{false};
static_assert(std::atomic<bool>::is_always_lock_free, "the handler may only touch lock-free atomics");

extern "C" void note_signal(int) {
  signal_seen.store(true, std::memory_order_relaxed);
}

bool single_process() {
  if (!detail::mpi_is_running()) return true;
  int size = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size == 1;
}

}  // namespace

StopRequest::StopRequest() {
  const bool was_installed = installed.exchange(true);
  TEMPERA_EXPECTS(!was_installed);
  static_cast<void>(was_installed);
  signal_seen = false;
  std::vector<int> signals = {SIGUSR1};
  if (single_process()) signals.insert(signals.end(), {SIGTERM, SIGINT});
  for (int signal : signals) {
    struct sigaction action = {};
    action.sa_handler = note_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    struct sigaction before = {};
    sigaction(signal, &action, &before);
    previous_.emplace_back(signal, before);
  }
}

StopRequest::~StopRequest() {
  for (const auto& [signal, before] : previous_) sigaction(signal, &before, nullptr);
  installed = false;
}

bool StopRequest::local() const {
  if (others_ && !signal_seen.load(std::memory_order_relaxed) && others_())
    signal_seen.store(true, std::memory_order_relaxed);
  return signal_seen.load(std::memory_order_relaxed);
}

void StopRequest::ask_too(std::function<bool()> others) const {
  others_ = std::move(others);
}

bool StopRequest::requested(const Communicator& communicator) const {
  detail::Channel& channel = detail::Channel::of(communicator);
  channel.arrive(detail::Operation::stop_request, {}, {}, local() ? detail::kStopRequested : 0);
  return (channel.arrival.flags() & detail::kStopRequested) != 0;
}

}  // namespace tempera
