#pragma once

#include "core/base/dealer.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

/// Deals pieces in turn over the ranks of a communicator, piece k to rank k mod ranks; all ranks get all results, to the bit
/// those of one process. Collective; cost besides the pieces: one gathering to all. A rank that throws ends the scope of all
/// (see collectively).
class RankDealer final : public Dealer {
 public:
  explicit RankDealer(Communicator ranks) : ranks_(std::move(ranks)) {}
  std::vector<std::vector<double>> deal(Index pieces, const Piece& piece) override;
  /// Numbers that go to every other rank for what a piece gave.
  static Index numbers_sent(const std::vector<double>& piece) { return 1 + std::ssize(piece); }

 private:
  Communicator ranks_;
};

}  // namespace tempera
