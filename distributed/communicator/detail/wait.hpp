#pragma once

#include <chrono>
#include <cstdint>

#include "distributed/communicator/detail/operation.hpp"

namespace tempera::detail {

struct Channel;

/// A wait of this rank for others: call step() between two looks at what is waited for. Spins a little, then gives
/// the processor away; listens to notices; a long wait is reported to the watchdog.
class Wait {
 public:
  enum class For { arrival, object, other };
  using Clock = std::chrono::steady_clock;

  Wait(Channel& channel, Operation operation, For what = For::other, int peer = -1, int tag = -1)
      : channel_(channel), operation_(operation), what_(what), peer_(peer), tag_(tag) {}
  ~Wait();
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  /// @throws Error{environment} when the watchdog has proved a deadlock
  void step();

  Channel& channel() const { return channel_; }
  Operation operation() const { return operation_; }
  For what() const { return what_; }
  /// Rank of the channel that the object shall come from, and its tag.
  int peer() const { return peer_; }
  int tag() const { return tag_; }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  Channel& channel_;
  Operation operation_;
  For what_;
  int peer_;
  int tag_;
  std::uint64_t steps_ = 0;
  Clock::time_point start_{};
};

}  // namespace tempera::detail
