#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "distributed/tasks/task.hpp"

namespace tempera::detail {

/// Tasks that wait for ranks: by size, and those of a size in the order in which they came.
class TaskQueue {
 public:
  void add(Task task);
  bool empty() const { return by_size_.empty(); }
  /// Waiting tasks of so many ranks (kAllRanks: of all).
  std::size_t count(int ranks) const;
  /// Sizes of waiting tasks, the largest first, without kAllRanks.
  std::vector<int> sizes() const;

  /// The first one of a size. @pre count(ranks) > 0
  Task pop(int ranks);
  /// Whether the first one of a size is a child process. @pre count(ranks) > 0
  bool is_child(int ranks) const { return by_size_.at(ranks).begin()->second.is_child; }
  /// The first child process of one rank.
  std::optional<Task> pop_child();
  void clear();

 private:
  using Tasks = std::map<Index, Task>;  // by arrival
  Task take(int ranks, Tasks::iterator task);

  std::map<int, Tasks, std::greater<>> by_size_;
  std::set<Index> children_;  ///< arrivals of child processes of one rank
  Index arrivals_ = 0;
};

}  // namespace tempera::detail
