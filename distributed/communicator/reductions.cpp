#include <algorithm>
#include <cstring>

#include "core/base/contract.hpp"
#include "distributed/communicator/communicator.hpp"
#include "distributed/communicator/detail/channel.hpp"
#include "distributed/communicator/detail/reduction.hpp"
#include "distributed/communicator/detail/transfers.hpp"
#include "distributed/communicator/detail/tree_reduction.hpp"

// Every element is summed along the same tree over the ranks, wherever the arrays are cut: from rank 0 upwards where
// contributions travel straight to whoever adds them, the binary tree of TreeReduction for large arrays on many ranks.

namespace tempera {

namespace {

using detail::Channel;
using detail::Operation;

/// Sum over the ranks of the piece of `data` that belongs to this rank, into `mine`; `staging` holds P such pieces.
template <class T>
void reduce_piece(Channel& channel, Operation operation, std::span<const T> data, std::span<const std::size_t> offsets,
                  std::span<T> staging, std::span<T> mine, Reduction reduction) {
  detail::Transfer transfer(channel);
  for (int q = 0; q < channel.size; ++q) {
    const auto index = static_cast<std::size_t>(q);
    const std::span<const T> piece = data.subspan(offsets[index], offsets[index + 1] - offsets[index]);
    const std::span<T> place = staging.subspan(index * mine.size(), mine.size());
    if (q == channel.rank) {
      std::ranges::copy(piece, place.begin());
      continue;
    }
    transfer.send(q, std::as_bytes(piece));
    transfer.receive(q, std::as_writable_bytes(place));
  }
  transfer.run(operation);
  std::ranges::copy(staging.first(mine.size()), mine.begin());
  for (std::size_t q = 1; q < static_cast<std::size_t>(channel.size); ++q)
    detail::combine_into(mine, staging.data() + q * mine.size(), reduction);
}

template <class T>
void all_reduce_in_slabs(Channel& channel, std::span<T> data, Reduction reduction,
                         std::initializer_list<std::uint64_t> arguments) {
  const auto size = static_cast<std::size_t>(channel.size);
  const std::size_t slab = std::min(std::max(size, channel.domain.limits.slab_bytes / sizeof(T)), data.size());
  std::vector<T> staging(slab + size);
  channel.arrive(Operation::all_reduce, arguments);
  for (std::size_t begin = 0; begin < data.size(); begin += slab) {
    const std::span<T> part = data.subspan(begin, std::min(slab, data.size() - begin));
    if (channel.size > channel.domain.limits.direct_ranks) {
      detail::TreeReduction<T>(channel, Operation::all_reduce, staging).run(part, reduction);
      continue;
    }
    std::vector<std::size_t> offsets(size + 1, 0);
    std::vector<std::int64_t> bytes(size);
    for (std::size_t q = 0; q < size; ++q) {
      offsets[q + 1] = part.size() * (q + 1) / size;
      bytes[q] = static_cast<std::int64_t>((offsets[q + 1] - offsets[q]) * sizeof(T));
    }
    const auto rank = static_cast<std::size_t>(channel.rank);
    const std::span<T> mine = part.subspan(offsets[rank], offsets[rank + 1] - offsets[rank]);
    reduce_piece<T>(channel, Operation::all_reduce, part, offsets, std::span<T>(staging).first(size * mine.size()),
                    mine, reduction);
    detail::gather_pieces(channel, Operation::all_reduce, bytes, std::as_writable_bytes(part));
  }
}

}  // namespace

template <class T>
void Communicator::all_reduce(std::span<T> data, Reduction reduction) const {
  Channel& channel = *channel_;
  constexpr std::uint64_t kKind = sizeof(T) * 4 + std::is_floating_point_v<T> * 2 + std::is_signed_v<T>;
  const std::initializer_list<std::uint64_t> arguments = {kKind, data.size(), static_cast<std::uint64_t>(reduction)};
  if (reduction == Reduction::logical_or)
    for (T& value : data) value = static_cast<T>(value != T{});
  if (channel.size == 1) return;
  channel.count(all_reduce_traffic(channel.rank, channel.size, data.size(), sizeof(T), channel.domain.limits));
  if (!channel.fits_inline(data.size_bytes())) return all_reduce_in_slabs(channel, data, reduction, arguments);
  channel.arrive(Operation::all_reduce, arguments, std::as_bytes(data));
  if (data.empty()) return;
  std::memcpy(data.data(), channel.arrival.payload_of(0).data(), data.size_bytes());
  for (int q = 1; q < channel.size; ++q)
    detail::combine_into(data, reinterpret_cast<const T*>(channel.arrival.payload_of(q).data()), reduction);
}

template void Communicator::all_reduce(std::span<double>, Reduction) const;
template void Communicator::all_reduce(std::span<std::int64_t>, Reduction) const;
template void Communicator::all_reduce(std::span<std::uint64_t>, Reduction) const;
template void Communicator::all_reduce(std::span<int>, Reduction) const;

std::int64_t Communicator::exclusive_sum(std::int64_t value) const {
  const std::vector<std::int64_t> all = channel_->arrive_gathering(Operation::exclusive_sum, {}, value);
  channel_->count(copies_traffic(channel_->size, sizeof(value)));
  std::int64_t sum = 0;
  for (int q = 0; q < channel_->rank; ++q) sum += all[static_cast<std::size_t>(q)];
  return sum;
}

void Communicator::reduce_scatter_sum(std::span<const double> data, std::span<const Index> counts,
                                      std::span<double> mine) const {
  Channel& channel = *channel_;
  const auto size = static_cast<std::size_t>(channel.size);
  TEMPERA_EXPECTS(counts.size() == size && counts[static_cast<std::size_t>(channel.rank)] == std::ssize(mine));
  std::vector<std::size_t> offsets(size + 1, 0);
  std::uint64_t hash = 0;
  for (std::size_t q = 0; q < size; ++q) {
    offsets[q + 1] = offsets[q] + static_cast<std::size_t>(counts[q]);
    hash = detail::signature(Operation::reduce_scatter_sum, {hash, static_cast<std::uint64_t>(counts[q])});
  }
  TEMPERA_EXPECTS(offsets.back() == data.size());
  std::vector<double> staging(size * mine.size());
  channel.arrive(Operation::reduce_scatter_sum, {hash});
  reduce_piece<double>(channel, Operation::reduce_scatter_sum, data, offsets, staging, mine, Reduction::sum);
  for (std::size_t q = 0; q < size; ++q)
    if (static_cast<int>(q) != channel.rank)
      channel.count(part_traffic(static_cast<std::size_t>(counts[q]) * sizeof(double)));
}

}  // namespace tempera
