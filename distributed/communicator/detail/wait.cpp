#include "distributed/communicator/detail/wait.hpp"

#include <sched.h>

#include "distributed/communicator/detail/channel.hpp"
#include "distributed/communicator/detail/watchdog.hpp"

namespace tempera::detail {

namespace {
constexpr unsigned kStepsBetweenLooks = 16;  // a look at the control communicator costs as much as a step
constexpr unsigned kPatientSteps = 64;       // longer than messages take between two free processors
}  // namespace

Wait::~Wait() {
  if (steps_ > kPatientSteps) channel_.domain.watchdog().wait_ends(*this);
}

void Wait::step() {
  ++steps_;
  channel_.domain.advance_exchanges();
  if (steps_ % kStepsBetweenLooks == 0) channel_.domain.receive_control();
  if (steps_ < kPatientSteps) return;
  if (steps_ == kPatientSteps) start_ = Clock::now();
  sched_yield();
  if (steps_ % kStepsBetweenLooks == 0 && steps_ > kPatientSteps) channel_.domain.watchdog().observe(*this);
}

}  // namespace tempera::detail
