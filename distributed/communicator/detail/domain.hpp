#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "distributed/communicator/detail/arrival.hpp"
#include "distributed/communicator/detail/notice.hpp"
#include "distributed/communicator/operation_traffic.hpp"

namespace tempera::detail {

class Domain;
class ExchangeInFlight;
class Watchdog;
struct Channel;

/// Thrown on a rank that cannot go on because another rank left a scope. Not a std::exception: only scopes catch it.
struct LeftBecauseOfAnotherRank {
  const Domain* domain;
};

/// The same on all ranks of a domain; tests lower them to reach the rare paths.
struct Limits : ReductionLimits {
  std::size_t chunk_bytes = std::size_t{1} << 30;  ///< one MPI message or collective; below 2^31
};
static_assert(ReductionLimits{}.inline_bytes == Arrival::kCapacity);

/// Error domain: the ranks of the MPI communicator that opened it, their channels and a control communicator.
///
/// Waiting in the domain means polling: for what is waited for, and for notices on the control communicator. A rank
/// gives up an arrival exactly when a rank that has not entered it has sent notice, so operations that can complete do,
/// and no rank ever leaves an operation that others have begun to carry out.
class Domain : public std::enable_shared_from_this<Domain> {
 public:
  /// Collective over `comm`. The first channel of a new domain.
  static std::shared_ptr<Channel> open(MPI_Comm comm);
  explicit Domain(MPI_Comm comm);
  ~Domain();
  Domain(const Domain&) = delete;
  Domain& operator=(const Domain&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  MPI_Comm control() const { return control_; }
  Limits limits;
  Watchdog& watchdog() { return *watchdog_; }

  /// @name Channels
  ///@{
  /// Unique in the domain if the rank that leads the new channel asks.
  std::uint64_t next_channel_id();
  /// Shared handle; when the last copy goes, the channel waits in the graveyard until all its ranks have buried it.
  std::shared_ptr<Channel> adopt(std::unique_ptr<Channel> channel);
  /// Live and buried, ordered by identity.
  const std::map<std::uint64_t, Channel*>& channels() const { return channels_; }
  bool has_graves() const { return !graveyard_.empty(); }
  bool is_buried(std::uint64_t id) const { return graveyard_.contains(id); }
  void free_buried(std::uint64_t id);
  ///@}

  /// @name Scopes and notices
  ///@{
  void enter_scope(ScopeKey key) { scopes_.push_back(key); }
  void leave_scope();
  bool in_scope() const { return !scopes_.empty(); }
  /// Channel of the innermost scope this rank is in, null outside any.
  const Channel* innermost_scope() const { return scopes_.empty() ? nullptr : channels_.at(scopes_.back().channel); }
  /// After an agreement: drops notices for scopes within it that never came to an agreement of their own.
  void forget_scopes_inside(const Channel& scope);
  /// Notices received for a scope, by rank of the domain.
  const std::map<int, Notice>& notices(ScopeKey key) { return inbox_[key]; }
  /// A rank has left a scope that this rank is in.
  bool someone_left() const;
  /// A rank of the channel left before entering its arrival number `entered`.
  bool never_completes(const Channel& channel, std::uint64_t entered) const;
  /// Notice from a rank of the domain for a scope this rank is in; null if it has not left.
  const Notice* notice_of(int domain_rank) const;
  ///@}

  /// @name Exchanges that have begun
  /// Every wait of this rank moves them on: another rank may need them before it can come to what is waited for.
  ///@{
  void join_in_flight(ExchangeInFlight& exchange) { in_flight_.push_back(&exchange); }
  void leave_in_flight(ExchangeInFlight& exchange) { std::erase(in_flight_, &exchange); }
  void advance_exchanges();
  ///@}

  /// Takes in what has arrived on the control communicator.
  void receive_control();
  /// Sends without waiting; the domain keeps the bytes. Returns a ticket, larger than all before.
  std::uint64_t post(MPI_Comm comm, int destination, int tag, std::vector<std::byte> bytes);
  /// True once everything posted on `comm` under this ticket and later ones is delivered.
  bool delivered(MPI_Comm comm, std::uint64_t ticket = 0);

 private:
  struct Posted {
    std::uint64_t ticket;
    MPI_Comm comm;
    std::vector<std::byte> bytes;
    MPI_Request request;
  };
  void bury(Channel* channel);

  MPI_Comm control_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  std::uint64_t channels_led_ = 0;
  std::map<std::uint64_t, Channel*> channels_;
  std::map<std::uint64_t, std::unique_ptr<Channel>> graveyard_;
  std::vector<ScopeKey> scopes_;
  std::map<ScopeKey, std::map<int, Notice>> inbox_;
  std::list<Posted> outbox_;
  std::vector<ExchangeInFlight*> in_flight_;
  std::uint64_t tickets_ = 0;
  std::unique_ptr<Watchdog> watchdog_;
};

}  // namespace tempera::detail
