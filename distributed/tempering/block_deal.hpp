#pragma once

#include "core/base/index.hpp"

namespace tempera {

/// `count` things dealt to `parts` in blocks of nearly equal length, in order.
struct BlockDeal {
  Index count = 0;
  int parts = 1;

  Index begin(int part) const { return count * part / parts; }
  Index end(int part) const { return begin(part + 1); }
  /// Of thing i. @pre 0 ≤ i < count
  int owner(Index i) const { return static_cast<int>(((i + 1) * parts - 1) / count); }
};

}  // namespace tempera
