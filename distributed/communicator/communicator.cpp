#include "distributed/communicator/communicator.hpp"

#include <algorithm>
#include <numeric>

#include "core/base/contract.hpp"
#include "distributed/communicator/detail/channel.hpp"
#include "distributed/communicator/detail/exchange_in_flight.hpp"
#include "distributed/communicator/detail/mpi_call.hpp"
#include "distributed/communicator/detail/object_messages.hpp"
#include "distributed/communicator/detail/selection.hpp"
#include "distributed/communicator/detail/transfers.hpp"

namespace tempera {

using detail::Operation;

namespace {

// Above this a tree beats sending the root's bytes along with everybody's arrival.
constexpr std::size_t kInlineBroadcastBytes = 256;

std::size_t sum(std::span<const Index> counts) {
  return static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), Index{0}));
}

std::uint64_t hash(std::span<const Index> counts) {
  std::uint64_t value = 0;
  for (Index count : counts)
    value = detail::signature(Operation::all_gather_into, {value, static_cast<std::uint64_t>(count)});
  return value;
}

}  // namespace

Communicator::Communicator(MPI_Comm comm) : channel_(detail::Domain::open(comm)) {}
Communicator::Communicator(std::shared_ptr<detail::Channel> channel) : channel_(std::move(channel)) {}
Communicator Communicator::self() {
  return Communicator(MPI_COMM_SELF);
}

int Communicator::rank() const {
  return channel_ ? channel_->rank : -1;
}
int Communicator::size() const {
  return channel_ ? channel_->size : 0;
}
MPI_Comm Communicator::handle() const {
  return channel_ ? channel_->comm : MPI_COMM_NULL;
}
RegionTable& Communicator::regions() const {
  return *channel_->regions;
}

Communicator Communicator::split(int color, int key) const {
  return Communicator(channel_->split(color, key, false));
}
Communicator Communicator::split_independent(int color, int key) const {
  return Communicator(channel_->split(color, key, true));
}
Communicator Communicator::select_independent(std::span<const int> ranks) const {
  return Communicator(detail::select_channel(*channel_, ranks));
}

void Communicator::barrier() const {
  channel_->arrive(Operation::barrier);
}

void Communicator::broadcast_bytes(std::span<std::byte> data, int root) const {
  detail::Channel& channel = *channel_;
  TEMPERA_EXPECTS(root >= 0 && root < channel.size);
  const bool small = data.size() <= kInlineBroadcastBytes && channel.fits_inline(data.size());
  channel.arrive(Operation::broadcast, {data.size(), static_cast<std::uint64_t>(root)},
                 small ? data : std::span<std::byte>());
  if (channel.size == 1) return;
  if (small) {
    std::ranges::copy(channel.arrival.payload_of(root), data.begin());
  } else {
    detail::broadcast_chunks(channel, data, root);
  }
  if (channel.rank == root) channel.count(copies_traffic(channel.size, data.size()));
}

std::vector<std::byte> Communicator::all_gather_bytes(std::span<const std::byte> mine) const {
  detail::Channel& channel = *channel_;
  const std::vector<Index> counts = channel.arrive_gathering(Operation::all_gather, {}, std::ssize(mine));
  std::vector<std::byte> all(sum(counts));
  const std::size_t before = sum(std::span(counts).first(static_cast<std::size_t>(channel.rank)));
  std::ranges::copy(mine, all.begin() + static_cast<std::ptrdiff_t>(before));
  channel.arrive(Operation::all_gather, {all.size()});  // everyone has the memory
  detail::gather_pieces(channel, Operation::all_gather, counts, all);
  channel.count(copies_traffic(channel.size, mine.size()));
  return all;
}

std::vector<std::byte> Communicator::gather_bytes(std::span<const std::byte> mine, int root) const {
  detail::Channel& channel = *channel_;
  TEMPERA_EXPECTS(root >= 0 && root < channel.size);
  const auto arguments = {static_cast<std::uint64_t>(root)};
  const std::vector<Index> counts = channel.arrive_gathering(Operation::gather, arguments, std::ssize(mine));
  std::vector<std::byte> all(channel.rank == root ? sum(counts) : 0);
  detail::Transfer transfer(channel);
  if (channel.rank != root) {
    transfer.send(root, mine);
  } else {
    std::size_t offset = 0;
    for (int q = 0; q < channel.size; ++q) {
      const auto bytes = static_cast<std::size_t>(counts[static_cast<std::size_t>(q)]);
      const std::span<std::byte> place = std::span(all).subspan(offset, bytes);
      if (q == root)
        std::ranges::copy(mine, place.begin());
      else
        transfer.receive(q, place);
      offset += bytes;
    }
  }
  channel.arrive(Operation::gather, arguments);
  transfer.run(Operation::gather);
  if (channel.rank != root) channel.count(part_traffic(mine.size()));
  return all;
}

std::vector<std::byte> Communicator::all_to_all_bytes(std::span<const std::byte> send, std::span<const Index> counts,
                                                      std::vector<Index>* received) const {
  detail::Channel& channel = *channel_;
  TEMPERA_EXPECTS(std::ssize(counts) == channel.size && sum(counts) == send.size());
  std::vector<Index> incoming(counts.size());
  channel.arrive(Operation::all_to_all);
  detail::check_mpi(MPI_Alltoall(counts.data(), 1, MPI_INT64_T, incoming.data(), 1, MPI_INT64_T, channel.comm),
                    "MPI_Alltoall");
  std::vector<std::byte> all(sum(incoming));
  detail::Transfer transfer(channel);
  std::size_t from = 0;
  std::size_t to = 0;
  for (int q = 0; q < channel.size; ++q) {
    const auto index = static_cast<std::size_t>(q);
    const std::span<const std::byte> part = send.subspan(from, static_cast<std::size_t>(counts[index]));
    const std::span<std::byte> place = std::span(all).subspan(to, static_cast<std::size_t>(incoming[index]));
    from += part.size();
    to += place.size();
    if (q == channel.rank) {
      std::ranges::copy(part, place.begin());
      continue;
    }
    transfer.send(q, part);
    transfer.receive(q, place);
  }
  channel.arrive(Operation::all_to_all);
  transfer.run(Operation::all_to_all);
  for (std::size_t q = 0; q < counts.size(); ++q)
    if (static_cast<int>(q) != channel.rank) channel.count(part_traffic(static_cast<std::size_t>(counts[q])));
  if (received != nullptr) *received = std::move(incoming);
  return all;
}

void Communicator::all_gather_into(std::span<const double> mine, std::span<const Index> counts,
                                   std::span<double> data) const {
  detail::Channel& channel = *channel_;
  TEMPERA_EXPECTS(std::ssize(counts) == channel.size && sum(counts) == data.size());
  const auto rank = static_cast<std::size_t>(channel.rank);
  TEMPERA_EXPECTS(counts[rank] == std::ssize(mine));
  const std::span<double> place = data.subspan(sum(counts.first(rank)), mine.size());
  if (place.data() != mine.data()) std::ranges::copy(mine, place.begin());
  std::vector<std::int64_t> bytes(counts.begin(), counts.end());
  for (std::int64_t& count : bytes) count *= static_cast<std::int64_t>(sizeof(double));
  channel.arrive(Operation::all_gather_into, {hash(counts)});
  detail::gather_pieces(channel, Operation::all_gather_into, bytes, std::as_writable_bytes(data));
  channel.count(copies_traffic(channel.size, mine.size_bytes()));
}

PendingExchange Communicator::begin_exchange_bytes(std::span<const ByteOutgoing> outgoing,
                                                   std::span<const ByteIncoming> incoming) const {
  detail::Channel& channel = *channel_;
  auto flight = std::make_unique<detail::ExchangeInFlight>(channel_);
  const ByteOutgoing* to_self = nullptr;
  for (const ByteOutgoing& part : outgoing) {
    if (part.rank == channel.rank) {
      to_self = &part;
      continue;
    }
    flight->transfer().send(part.rank, part.data);
    channel.count(part_traffic(part.data.size()));
  }
  for (const ByteIncoming& part : incoming) {
    if (part.rank != channel.rank) {
      flight->transfer().receive(part.rank, part.data);
    } else {
      TEMPERA_EXPECTS(to_self != nullptr ? to_self->data.size() == part.data.size() : part.data.empty());
      if (to_self != nullptr && !part.data.empty())
        std::memmove(part.data.data(), to_self->data.data(), part.data.size());
    }
  }
  flight->begin();
  return PendingExchange(std::move(flight));
}

PendingExchange::PendingExchange(std::unique_ptr<detail::ExchangeInFlight> flight) : flight_(std::move(flight)) {}
PendingExchange::PendingExchange(PendingExchange&&) noexcept = default;
PendingExchange& PendingExchange::operator=(PendingExchange&&) noexcept = default;
PendingExchange::~PendingExchange() = default;
void PendingExchange::advance() {
  flight_->advance();
}
void PendingExchange::finish() {
  flight_->finish();
}

void Communicator::send_bytes(std::vector<std::byte> bytes, int destination, int tag) const {
  detail::send_object_bytes(*channel_, std::move(bytes), destination, tag);
}

std::vector<std::byte> Communicator::receive_bytes(int source, int tag) const {
  return detail::receive_object_bytes(*channel_, source, tag);
}

}  // namespace tempera
