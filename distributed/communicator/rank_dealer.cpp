#include "distributed/communicator/rank_dealer.hpp"

#include "core/base/contract.hpp"

namespace tempera {

std::vector<std::vector<double>> RankDealer::deal(Index pieces, const Piece& piece) {
  std::vector<double> mine;  // of each piece the length, then the numbers
  for (Index k = ranks_.rank(); k < pieces; k += ranks_.size()) {
    const std::vector<double> numbers = piece(k);
    mine.push_back(static_cast<double>(numbers.size()));
    mine.insert(mine.end(), numbers.begin(), numbers.end());
  }
  const std::vector<double> all = ranks_.all_gather(std::span<const double>(mine));
  std::vector<std::vector<double>> results(static_cast<std::size_t>(pieces));
  auto next = all.begin();
  for (Index rank = 0; rank < ranks_.size(); ++rank)
    for (Index k = rank; k < pieces; k += ranks_.size()) {
      const auto length = static_cast<std::ptrdiff_t>(*next++);
      TEMPERA_EXPECTS(length <= all.end() - next);
      results[static_cast<std::size_t>(k)].assign(next, next + length);
      next += length;
    }
  return results;
}

}  // namespace tempera
