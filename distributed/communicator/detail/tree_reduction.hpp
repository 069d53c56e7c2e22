#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <span>
#include <vector>

#include "distributed/communicator/detail/channel.hpp"
#include "distributed/communicator/detail/reduction.hpp"
#include "distributed/communicator/detail/transfers.hpp"

namespace tempera::detail {

/// Reduction of an array on all ranks in 2⌈log2 P⌉ messages a rank at most, along one binary tree over the ranks.
///
/// With 2^k ≤ P < 2^(k+1), the first P − 2^k pairs (0,1), (2,3) … are united; then neighbours among the 2^k that are
/// left, neighbours of the results, and so on. The lower rank's side is the left operand. The tree is the same for
/// every element, whatever its place, so the bits depend on P alone; and the rank that ends up with an element
/// hands its bits to all others. What is sent is counted by all_reduce_traffic.
/// Cost: recursive halving and doubling (Thakur, Rabenseifner, Gropp 2005, section 4): 2n(1 − 2^−k) elements sent, n
/// more where P is no power of two.
template <class T>
class TreeReduction {
 public:
  /// @param staging  at least as long as any array that is reduced
  TreeReduction(Channel& channel, Operation operation, std::span<T> staging)
      : channel_(channel),
        operation_(operation),
        staging_(staging),
        active_(static_cast<int>(std::bit_floor(static_cast<unsigned>(channel.size)))),
        extra_(channel.size - active_),
        position_(channel.rank < 2 * extra_ ? channel.rank / 2 : channel.rank - extra_) {}

  void run(std::span<T> data, Reduction reduction) const {
    const bool in_pair = channel_.rank < 2 * extra_;
    if (in_pair && channel_.rank % 2 == 1) {
      swap_parts(channel_.rank - 1, data, {});
      swap_parts(channel_.rank - 1, {}, data);
      return;
    }
    if (in_pair) {
      swap_parts(channel_.rank + 1, {}, staging_.first(data.size()));
      combine_into(data, staging_.data(), reduction);
    }
    std::vector<std::span<T>> kept, given;
    for (int distance = 1; distance < active_; distance *= 2) {
      const std::span<T> range = kept.empty() ? data : kept.back();
      const std::span<T> low = range.first(range.size() / 2), high = range.subspan(low.size());
      const bool upper = (position_ & distance) != 0;
      kept.push_back(upper ? high : low);
      given.push_back(upper ? low : high);
      const std::span<T> theirs = staging_.first(kept.back().size());
      swap_parts(rank_at(position_ ^ distance), given.back(), theirs);
      if (upper) {
        combine_into(theirs, kept.back().data(), reduction);
        std::ranges::copy(theirs, kept.back().begin());
      } else {
        combine_into(kept.back(), theirs.data(), reduction);
      }
    }
    for (int distance = active_ / 2; distance > 0; distance /= 2) {
      swap_parts(rank_at(position_ ^ distance), kept.back(), given.back());
      kept.pop_back();
      given.pop_back();
    }
    if (in_pair) swap_parts(channel_.rank + 1, data, {});
  }

 private:
  int rank_at(int position) const { return position < extra_ ? 2 * position : position + extra_; }
  void swap_parts(int peer, std::span<const T> sent, std::span<T> received) const {
    Transfer transfer(channel_);
    transfer.send(peer, std::as_bytes(sent));
    transfer.receive(peer, std::as_writable_bytes(received));
    transfer.run(operation_);
  }

  Channel& channel_;
  Operation operation_;
  std::span<T> staging_;
  int active_;    // ranks that take part in halving: a power of two
  int extra_;     // ranks beyond it; each is united with its left neighbour first
  int position_;  // among the active ones
};

}  // namespace tempera::detail
