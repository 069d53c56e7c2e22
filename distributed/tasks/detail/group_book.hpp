#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "distributed/tasks/rank_span.hpp"

namespace tempera::detail {

/// Which groups' communicators each rank holds, as the master knows it. It says when they are forgotten, so that all
/// ranks of a group agree on whether it has to be made anew.
class GroupBook {
 public:
  /// @param limit  groups that a rank is in at most, ≥ 1
  GroupBook(int ranks, std::size_t limit)
      : last_use_(static_cast<std::size_t>(ranks)), forgotten_(last_use_.size()), limit_(limit) {}

  /// The ranks of this group are idle and will do a task together: forgets what a rank is in beyond the limit, the
  /// group that was not used for longest first.
  void use(RankSpan group);
  /// Groups that the rank was told to forget since the last call. It has to hear of them before its next task.
  std::vector<RankSpan> take_forgotten(int rank);

 private:
  using Uses = std::map<RankSpan, long>;
  void forget(RankSpan group);

  std::vector<Uses> last_use_;  ///< by rank: its groups
  std::vector<std::vector<RankSpan>> forgotten_;
  std::size_t limit_;
  long uses_ = 0;
};

}  // namespace tempera::detail
