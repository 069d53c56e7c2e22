#include "distributed/communicator/detail/wait.hpp"

#include <sched.h>

#include "distributed/communicator/detail/channel.hpp"

namespace tempera::detail {

namespace {
constexpr unsigned kStepsBetweenLooks = 16;  // a look at the control communicator costs as much as a step
constexpr unsigned kStepsBeforeYield = 64;   // longer than an exchange of messages between two free processors
}  // namespace

void Wait::step() {
  ++steps_;
  if (steps_ % kStepsBetweenLooks == 0) channel_.domain.receive_control();
  if (steps_ >= kStepsBeforeYield) sched_yield();
}

}  // namespace tempera::detail
