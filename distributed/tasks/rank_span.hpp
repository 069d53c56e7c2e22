#pragma once

#include <compare>

namespace tempera {

/// MPI ranks that are neighbours: first, first + 1, … first + count − 1.
struct RankSpan {
  int first = 0;
  int count = 0;

  int end() const { return first + count; }
  bool contains(int rank) const { return rank >= first && rank < end(); }
  bool meets(RankSpan other) const { return first < other.end() && other.first < end(); }
  auto operator<=>(const RankSpan&) const = default;
};

}  // namespace tempera
