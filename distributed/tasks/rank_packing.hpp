#pragma once

#include <map>
#include <optional>

#include "distributed/tasks/rank_span.hpp"

namespace tempera {

/// Which of some ranks are idle, and where among them tasks of several ranks fit: on the lowest place that is long
/// enough.
///
/// A task that fits nowhere can have a place kept for it, where nothing smaller begins any more, so that it becomes
/// free as what runs there ends.
class RankPacking {
 public:
  /// All of them idle. @pre count ≥ 0
  explicit RankPacking(RankSpan ranks);

  /// The lowest span of `count` idle ranks, which are not idle from now on; none if there is none. Spares the kept
  /// place if that is for more ranks than `count`. Cost: the number of idle spans. @pre count ≥ 1
  std::optional<RankSpan> take(int count);
  /// @pre none of these ranks is idle
  void give_back(RankSpan span);

  /// Keeps the place with most idle ranks, of these the lowest, for a task of `count` ranks, and gives up one that
  /// was kept for another count. It stays until it is taken or let go. Cost when it is chosen: the number of ranks.
  /// @pre 1 ≤ count ≤ number of ranks
  void keep(int count);
  void let_go() { kept_.reset(); }
  bool is_kept(int rank) const { return kept_ && kept_->contains(rank); }

  bool is_idle(int rank) const;
  int idle() const { return idle_; }
  int ranks() const { return ranks_.count; }

 private:
  using Spans = std::map<int, int>;  // first → count
  RankSpan cut(Spans::iterator span, RankSpan part);

  RankSpan ranks_;
  Spans spans_;  ///< idle ones, none next to another
  std::optional<RankSpan> kept_;
  int idle_ = 0;
};

}  // namespace tempera
