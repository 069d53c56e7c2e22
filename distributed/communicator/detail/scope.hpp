#pragma once

#include <map>
#include <vector>

#include "distributed/communicator/detail/channel.hpp"
#include "distributed/communicator/detail/notice.hpp"

namespace tempera::detail {

/// One run of `collectively` on a rank: agreement on errors at its end, and recovery of the channels inside it.
///
/// Success: all ranks meet in an arrival, nothing else is sent. Failure: a rank whose body threw sends its notice to
/// all others and never enters that arrival; whoever needs it sees the notice, unwinds to its own scope and sends
/// notice too. When a rank has the notices of all, it knows the same as all others: the error of the lowest rank that
/// failed, and for every channel how many arrivals its ranks have entered (numbers that differ by at most one). Ranks
/// behind enter the missing one, so that nothing stays pending and the channels can be used again.
class Scope {
 public:
  explicit Scope(Channel& channel);
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  /// The body returned. @throws LeftBecauseOfAnotherRank if that of another rank did not
  void finish();
  /// The body threw. @pre called from the catch block that follows the body
  [[noreturn]] void fail();

 private:
  using Notices = std::map<int, Notice>;  // by rank of the domain
  std::vector<ObjectCount> objects_sent_to(int member) const;
  Notice own_notice() const;
  void send_notices(Notice mine);
  void recover(const Notices& notices);
  bool receive_lost_objects(Channel& channel, const Notices& notices);
  void free_graves(const Notices& notices);
  [[noreturn]] void leave(const Notices& notices);

  Channel& channel_;
  ScopeKey key_;
};

}  // namespace tempera::detail
