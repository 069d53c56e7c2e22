#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/base/index.hpp"
#include "core/base/region_table.hpp"

namespace tempera {

namespace detail {
class Domain;            // error domain: control channel, regions, watchdog (detail/domain.hpp)
struct Channel;          // one MPI communicator of a domain
class ExchangeInFlight;  // what PendingExchange holds
}  // namespace detail

enum class Reduction { sum, minimum, maximum, logical_or };

/// One part of a sparse exchange: data for, or from, `rank`.
template <class T>
struct Outgoing {
  int rank;
  std::span<const T> data;
};
template <class T>
struct Incoming {
  int rank;
  std::span<T> data;
};

/// An exchange that goes on while the caller computes; begun by Communicator::begin_exchange. The memory of its parts
/// has to outlive it. Until finish(), no other operation on the same communicator may begin (others may be used).
///
/// MPI moves little by itself: the parts travel while finish() or any other operation of the domain waits, and in
/// advance(). Destroyed before the end, as by an exception, it waits until the other ranks have got their parts.
class PendingExchange {
 public:
  explicit PendingExchange(std::unique_ptr<detail::ExchangeInFlight> flight);
  PendingExchange(PendingExchange&&) noexcept;
  PendingExchange& operator=(PendingExchange&&) noexcept;
  ~PendingExchange();

  /// Makes progress without waiting: a microsecond or so, to be called between pieces of work. Not collective.
  void advance();
  /// Waits until all parts of this rank have left and arrived. Collective.
  void finish();

 private:
  std::unique_ptr<detail::ExchangeInFlight> flight_;
};

/// A group of MPI ranks that work together. Copies share the same group (cheap); the MPI communicator is freed with
/// the last copy.
///
/// **Error domain.** Constructing from an MPI_Comm opens an error domain: a duplicate of the communicator, a control
/// channel and a region table. `split` stays inside the domain of its parent. If a rank throws inside
/// `collectively(comm, body)`, every rank that waits in any operation of the domain leaves it with an exception, and
/// `collectively` throws the same Error on all ranks. No operation below may be called outside `collectively`, unless
/// the caller makes sure that no rank fails.
///
/// **Every operation is collective over this communicator** unless it says otherwise. Counts may exceed 2^31 − 1.
/// Sums are added along a fixed tree over the ranks and are identical on all ranks: the same ranks and lengths give the
/// same bits, and all elements of an array are added in the same order. It is the order of the ranks, except for arrays
/// that all_reduce sums on more than 4 ranks and that take more than 16 KiB / P: there it is a binary tree, as the
/// direct way would be P−1 messages each way instead of 2⌈log2 P⌉.
/// Messages and bytes that this rank sends are counted for the innermost open region of regions(), as if every rank
/// sent its data directly to the ranks that need it; parts of length 0 and lengths of variable parts do not count. With
/// n bytes on P > 1 ranks all_reduce counts P−1 messages of n bytes if P·n ≤ 16 KiB, else per 64 MiB its pieces twice,
/// or on more than 4 ranks the messages of the tree.
class Communicator {
 public:
  /// Duplicates `comm` and opens an error domain of its own. Collective over `comm`.
  explicit Communicator(MPI_Comm comm);
  /// Group of this process alone. Not collective.
  static Communicator self();

  int rank() const;
  /// 0 for the communicator that split gives to a negative colour.
  int size() const;
  bool is_root() const { return rank() == 0; }
  MPI_Comm handle() const;
  /// Timed regions and traffic of this rank, shared by all communicators of the domain.
  RegionTable& regions() const;

  /// Sub-communicator of the ranks with the same colour, ordered by key then rank; same error domain.
  /// A negative colour gives a communicator of size 0 on which nothing may be called.
  Communicator split(int color, int key) const;
  /// Like split, but with an error domain and region table of its own: a failure stays inside the group.
  Communicator split_independent(int color, int key) const;
  /// Communicator of these ranks, in the order of the list, with an error domain and region table of its own like those of
  /// split_independent. Collective over the ranks of the list only: the others need not know of it, and do something else.
  /// Ranks that make several one after the other do so in the same order. Cost besides that of MPI: a message to the first
  /// of the list and one back.
  /// @param ranks  the same on all of them, without repetition; this rank is among them
  /// @throws Error{environment} if they give different lists
  Communicator select_independent(std::span<const int> ranks) const;

  void barrier() const;

  template <class T>
  void broadcast(std::span<T> data, int root) const {
    static_assert(std::is_trivially_copyable_v<T>);
    broadcast_bytes(std::as_writable_bytes(data), root);
  }
  template <class T>
  T broadcast_value(T value, int root) const {
    broadcast(std::span<T>(&value, 1), root);
    return value;
  }

  /// Element-wise reduction in place, along the fixed tree; the same length on all ranks. T: double, std::int64_t, std::uint64_t or int.
  template <class T>
  void all_reduce(std::span<T> data, Reduction reduction) const;
  template <class T>
  T all_reduce_value(T value, Reduction reduction) const {
    all_reduce(std::span<T>(&value, 1), reduction);
    return value;
  }
  /// Sum over the ranks before this one, 0 on rank 0.
  std::int64_t exclusive_sum(std::int64_t value) const;

  /// Concatenation in rank order of parts whose lengths may differ.
  template <class T>
  std::vector<T> all_gather(std::span<const T> mine) const;
  /// The same on `root`; empty elsewhere.
  template <class T>
  std::vector<T> gather(std::span<const T> mine, int root) const;
  /// counts[q] elements of `send`, in rank order, go to rank q. Returns what arrived in rank order; if `received` is
  /// not null it is set to the count from each rank.
  template <class T>
  std::vector<T> all_to_all(std::span<const T> send, std::span<const Index> counts,
                            std::vector<Index>* received = nullptr) const;

  /// Rank q gets in `mine` the sum over all ranks, in their order, of the q-th piece of `data`; counts (the same on all ranks) gives
  /// the lengths of the pieces; mine.size() == counts[rank()].
  void reduce_scatter_sum(std::span<const double> data, std::span<const Index> counts, std::span<double> mine) const;
  /// Inverse: pieces of known lengths are concatenated into `data` on every rank. `mine` may lie inside `data` at its
  /// place.
  void all_gather_into(std::span<const double> mine, std::span<const Index> counts, std::span<double> data) const;

  /// Sparse point-to-point exchange: both sides know who sends what and how much. At most one part a peer and
  /// direction; parts of length 0 send nothing. A rank without parts still takes part.
  template <class T>
  void exchange(std::span<const Outgoing<T>> outgoing, std::span<const Incoming<T>> incoming) const {
    begin_exchange(outgoing, incoming).finish();
  }
  /// The same, without waiting for any other rank.
  template <class T>
  [[nodiscard]] PendingExchange begin_exchange(std::span<const Outgoing<T>> outgoing,
                                               std::span<const Incoming<T>> incoming) const;

  /// Objects through Boost.Serialization; include "distributed/communicator/objects.hpp" to use them.
  template <class T>
  void broadcast_object(T& object, int root) const;
  /// On `root` one object a rank, in rank order; empty elsewhere.
  template <class T>
  std::vector<T> gather_objects(const T& object, int root) const;
  /// Point to point, not collective; 0 ≤ tag < 16384. Objects of the same tag arrive in order.
  template <class T>
  void send_object(const T& object, int destination, int tag) const;
  template <class T>
  T receive_object(int source, int tag) const;

 private:
  friend struct detail::Channel;
  template <class Body>
  friend auto collectively(const Communicator& communicator, Body&& body);

  explicit Communicator(std::shared_ptr<detail::Channel> channel);

  void send_bytes(std::vector<std::byte> bytes, int destination, int tag) const;
  std::vector<std::byte> receive_bytes(int source, int tag) const;
  void broadcast_bytes(std::span<std::byte> data, int root) const;
  std::vector<std::byte> all_gather_bytes(std::span<const std::byte> mine) const;
  std::vector<std::byte> gather_bytes(std::span<const std::byte> mine, int root) const;
  std::vector<std::byte> all_to_all_bytes(std::span<const std::byte> send, std::span<const Index> counts,
                                          std::vector<Index>* received) const;
  struct ByteOutgoing {
    int rank;
    std::span<const std::byte> data;
  };
  struct ByteIncoming {
    int rank;
    std::span<std::byte> data;
  };
  PendingExchange begin_exchange_bytes(std::span<const ByteOutgoing> outgoing,
                                       std::span<const ByteIncoming> incoming) const;

  std::shared_ptr<detail::Channel> channel_;
};

namespace detail {
template <class T>
std::vector<T> from_byte_vector(std::vector<std::byte> bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}
}  // namespace detail

template <class T>
std::vector<T> Communicator::all_gather(std::span<const T> mine) const {
  static_assert(std::is_trivially_copyable_v<T>);
  return detail::from_byte_vector<T>(all_gather_bytes(std::as_bytes(mine)));
}

template <class T>
std::vector<T> Communicator::gather(std::span<const T> mine, int root) const {
  static_assert(std::is_trivially_copyable_v<T>);
  return detail::from_byte_vector<T>(gather_bytes(std::as_bytes(mine), root));
}

template <class T>
std::vector<T> Communicator::all_to_all(std::span<const T> send, std::span<const Index> counts,
                                        std::vector<Index>* received) const {
  static_assert(std::is_trivially_copyable_v<T>);
  constexpr auto kBytes = static_cast<Index>(sizeof(T));
  std::vector<Index> byte_counts(counts.begin(), counts.end());
  for (Index& count : byte_counts) count *= kBytes;
  std::vector<T> values = detail::from_byte_vector<T>(all_to_all_bytes(std::as_bytes(send), byte_counts, received));
  if (received != nullptr)
    for (Index& count : *received) count /= kBytes;
  return values;
}

template <class T>
PendingExchange Communicator::begin_exchange(std::span<const Outgoing<T>> outgoing,
                                             std::span<const Incoming<T>> incoming) const {
  static_assert(std::is_trivially_copyable_v<T>);
  std::vector<ByteOutgoing> sends;
  std::vector<ByteIncoming> receives;
  for (const Outgoing<T>& part : outgoing) sends.push_back({part.rank, std::as_bytes(part.data)});
  for (const Incoming<T>& part : incoming) receives.push_back({part.rank, std::as_writable_bytes(part.data)});
  return begin_exchange_bytes(sends, receives);
}

}  // namespace tempera
