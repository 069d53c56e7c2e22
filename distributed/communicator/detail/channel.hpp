#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/region_table.hpp"
#include "distributed/communicator/communicator.hpp"
#include "distributed/communicator/detail/arrival.hpp"
#include "distributed/communicator/detail/domain.hpp"
#include "distributed/communicator/detail/operation.hpp"

namespace tempera::detail {

/// One MPI communicator of a domain, shared by the copies of a Communicator.
struct Channel {
  /// Takes over `mpi`.
  Channel(Domain& owner, MPI_Comm mpi, std::uint64_t identity, std::shared_ptr<RegionTable> table);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  static Channel& of(const Communicator& communicator) { return *communicator.channel_; }
  static Communicator communicator(std::shared_ptr<Channel> channel) { return Communicator(std::move(channel)); }

  /// Returns when all ranks of the channel are in the same operation with the same arguments, so that a blocking MPI
  /// call that follows cannot hang for a rank that threw. Memory for that call must have been taken before.
  /// @throws LeftBecauseOfAnotherRank, and Error{environment} on all ranks if they are in different operations
  void arrive(Operation operation, std::initializer_list<std::uint64_t> arguments = {},
              std::span<const std::byte> payload = {}, std::uint64_t flags = 0);
  /// The first half of arrive, which does not wait.
  void enter(Operation operation, std::initializer_list<std::uint64_t> arguments = {},
             std::span<const std::byte> payload = {}, std::uint64_t flags = 0);
  /// What the ranks that came to different operations throw. @pre the arrival is complete and does not match
  Error different_operations() const;
  /// Arrives and collects a payload of the same size from every rank, in rank order.
  void arrive_gathering(Operation operation, std::initializer_list<std::uint64_t> arguments,
                        std::span<const std::byte> payload, std::span<std::byte> gathered);
  template <class T>
  std::vector<T> arrive_gathering(Operation operation, std::initializer_list<std::uint64_t> arguments, const T& mine) {
    std::vector<T> all(static_cast<std::size_t>(size));
    arrive_gathering(operation, arguments, std::as_bytes(std::span<const T>(&mine, 1)),
                     std::as_writable_bytes(std::span<T>(all)));
    return all;
  }
  /// Payloads of this many bytes a rank may travel with the arrival.
  bool fits_inline(std::size_t bytes) const;

  /// Null for a negative colour.
  std::shared_ptr<Channel> split(int color, int key, bool independent);
  /// Frees buried channels of these ranks if every one of their ranks has buried them. Collective over the channel.
  void reap();
  /// Every rank of `other` belongs to this channel.
  bool contains(const Channel& other) const;

  /// Takes in one message with a part of an object, if it is there.
  bool try_receive(int source, int tag, std::vector<std::byte>* content = nullptr);

  void count(const Traffic& sent) const {
    if (sent.messages > 0) regions->count_traffic(sent.messages, sent.bytes);
  }
  int others() const { return size - 1; }

  Domain& domain;
  MPI_Comm comm;
  std::uint64_t id;
  int rank = 0;
  int size = 1;
  std::vector<int> members;  ///< rank in the domain of each rank of the channel
  std::shared_ptr<RegionTable> regions;
  Arrival arrival;
  bool exchange_in_flight = false;  ///< no other operation may begin
  std::uint64_t scopes_opened = 0;
  /// Object messages by (rank of the channel, tag).
  std::map<std::pair<int, int>, std::uint64_t> objects_sent;
  std::map<std::pair<int, int>, std::uint64_t> objects_received;
};

/// Flags that arrivals unite.
constexpr std::uint64_t kHasGraves = 1;
constexpr std::uint64_t kStopRequested = 2;

}  // namespace tempera::detail
