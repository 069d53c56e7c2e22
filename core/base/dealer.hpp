#pragma once

#include <functional>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// Who does independent pieces of work: this process, one after the other. In `distributed/` they are dealt over ranks, of
/// which each then has all results; the results do not depend on how many ranks there are.
class Dealer {
 public:
  /// A function of the piece's number and of what all who take part have in common.
  using Piece = std::function<std::vector<double>(Index piece)>;

  virtual ~Dealer() = default;
  /// @return what each of so many pieces gave
  /// @throws on all of them what a piece throws on one
  virtual std::vector<std::vector<double>> deal(Index pieces, const Piece& piece) {
    std::vector<std::vector<double>> results;
    for (Index k = 0; k < pieces; ++k) results.push_back(piece(k));
    return results;
  }
};

}  // namespace tempera
