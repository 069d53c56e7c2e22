#include "distributed/tasks/detail/group_book.hpp"

#include <algorithm>
#include <utility>

namespace tempera::detail {

void GroupBook::use(RankSpan group) {
  ++uses_;
  for (int rank = group.first; rank < group.end(); ++rank) {
    Uses& groups = last_use_[static_cast<std::size_t>(rank)];
    if (groups.size() >= limit_ && !groups.contains(group))
      forget(std::ranges::min_element(groups, {}, &Uses::value_type::second)->first);
    groups[group] = uses_;
  }
}

void GroupBook::forget(RankSpan group) {
  for (int rank = group.first; rank < group.end(); ++rank) {
    last_use_[static_cast<std::size_t>(rank)].erase(group);
    forgotten_[static_cast<std::size_t>(rank)].push_back(group);
  }
}

std::vector<RankSpan> GroupBook::take_forgotten(int rank) {
  return std::exchange(forgotten_[static_cast<std::size_t>(rank)], {});
}

}  // namespace tempera::detail
