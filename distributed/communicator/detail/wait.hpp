#pragma once

#include <chrono>

#include "distributed/communicator/detail/operation.hpp"

namespace tempera::detail {

struct Channel;

/// A wait of this rank for others: call step() between two looks at what is waited for. Spins a little, then gives
/// the processor away; listens to notices.
class Wait {
 public:
  Wait(Channel& channel, Operation operation) : channel_(channel), operation_(operation) {}
  void step();

 private:
  Channel& channel_;
  Operation operation_;
  unsigned steps_ = 0;
};

}  // namespace tempera::detail
