#include "distributed/communicator/operation_traffic.hpp"

#include <algorithm>
#include <bit>
#include <vector>

namespace tempera {

namespace {

/// See detail::TreeReduction.
Traffic tree_traffic(int rank, int ranks, std::size_t count, std::size_t element_bytes) {
  const int active = static_cast<int>(std::bit_floor(static_cast<unsigned>(ranks))), extra = ranks - active;
  const bool in_pair = rank < 2 * extra;
  const Traffic whole = part_traffic(count * element_bytes);
  if (in_pair && rank % 2 == 1) return whole;
  Traffic sum;
  const int position = in_pair ? rank / 2 : rank - extra;
  for (int distance = 1; distance < active; distance *= 2) {
    const std::size_t low = count / 2, high = count - low;
    const bool upper = (position & distance) != 0;
    sum += part_traffic((upper ? low : high) * element_bytes);
    count = upper ? high : low;
    sum += part_traffic(count * element_bytes);  // on the way back
  }
  return in_pair ? sum + whole : sum;
}

/// Every rank sums one piece and hands it to all others.
Traffic pieces_traffic(int rank, int ranks, std::size_t count, std::size_t element_bytes) {
  const auto size = static_cast<std::size_t>(ranks);
  const auto piece = [&](std::size_t q) { return (count * (q + 1) / size - count * q / size) * element_bytes; };
  Traffic sum = copies_traffic(ranks, piece(static_cast<std::size_t>(rank)));
  for (std::size_t q = 0; q < size; ++q)
    if (q != static_cast<std::size_t>(rank)) sum += part_traffic(piece(q));
  return sum;
}

}  // namespace

Traffic all_reduce_traffic(int rank, int ranks, std::size_t count, std::size_t element_bytes,
                           const ReductionLimits& limits) {
  if (ranks == 1 || count == 0) return {};
  const auto size = static_cast<std::size_t>(ranks);
  if (count * element_bytes * size <= limits.inline_bytes) return copies_traffic(ranks, count * element_bytes);
  const std::size_t slab = std::min(std::max(size, limits.slab_bytes / element_bytes), count);
  Traffic sum;
  for (std::size_t begin = 0; begin < count; begin += slab) {
    const std::size_t part = std::min(slab, count - begin);
    sum += ranks > limits.direct_ranks ? tree_traffic(rank, ranks, part, element_bytes)
                                       : pieces_traffic(rank, ranks, part, element_bytes);
  }
  return sum;
}

Traffic copies_traffic(int ranks, std::size_t bytes) {
  if (bytes == 0 || ranks == 1) return {};
  return {ranks - 1, static_cast<std::int64_t>(bytes) * (ranks - 1)};
}

Traffic part_traffic(std::size_t bytes) {
  return {bytes > 0 ? 1 : 0, static_cast<std::int64_t>(bytes)};
}

}  // namespace tempera
