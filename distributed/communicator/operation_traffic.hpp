#pragma once

#include <cstddef>
#include <cstdint>

namespace tempera {

/// What a rank sends, as the communicator counts it: as if every rank sent its data directly to the ranks that need it.
struct Traffic {
  std::int64_t messages = 0;
  std::int64_t bytes = 0;

  Traffic& operator+=(const Traffic& other) {
    messages += other.messages;
    bytes += other.bytes;
    return *this;
  }
  friend Traffic operator+(Traffic a, const Traffic& b) { return a += b; }
  friend Traffic operator*(std::int64_t times, const Traffic& once) {
    return {times * once.messages, times * once.bytes};
  }
  friend bool operator==(const Traffic&, const Traffic&) = default;
};

/// Where reductions change their way; the same on all ranks.
struct ReductionLimits {
  std::size_t inline_bytes = 16384;                ///< payloads of all ranks that travel with the arrival
  std::size_t slab_bytes = std::size_t{64} << 20;  ///< part of a reduction that is staged at a time
  int direct_ranks = 4;  ///< up to so many ranks large reductions send each piece straight to the rank that sums it
};

// What operations of Communicator count on one rank of so many. The communicator counts by these functions itself.

/// Communicator::all_reduce of `count` elements.
Traffic all_reduce_traffic(int rank, int ranks, std::size_t count, std::size_t element_bytes,
                           const ReductionLimits& limits = {});
/// Data of one rank to all others: all_gather, all_gather_into, exclusive_sum, and a broadcast on its root (elsewhere that
/// counts nothing).
Traffic copies_traffic(int ranks, std::size_t bytes);
/// One message, or none if it is empty: a part of an exchange, of all_to_all or of a gather.
Traffic part_traffic(std::size_t bytes);

}  // namespace tempera
