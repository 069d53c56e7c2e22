#include "distributed/bayesopt/planned_team.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "distributed/communicator/rank_dealer.hpp"

namespace tempera {

std::vector<std::vector<double>> PlannedTeam::CountingDealer::deal(Index pieces, const Piece& piece) {
  using Clock = std::chrono::steady_clock;
  std::vector<std::vector<double>> results;
  std::vector<Index> numbers(static_cast<std::size_t>(ranks_));  // that each rank sends
  std::vector<double> seconds(static_cast<std::size_t>(ranks_));
  for (Index k = 0; k < pieces; ++k) {
    const auto rank = static_cast<std::size_t>(k % ranks_);
    const auto begin = Clock::now();
    results.push_back(piece(k));
    seconds[rank] += std::chrono::duration<double>(Clock::now() - begin).count();
    numbers[rank] += RankDealer::numbers_sent(results.back());
  }
  for (const Index count : numbers)
    work.sent += copies_traffic(ranks_, static_cast<std::size_t>(count) * sizeof(double));
  work.seconds_saved += std::accumulate(seconds.begin(), seconds.end(), 0.0) - *std::ranges::max_element(seconds);
  return results;
}

}  // namespace tempera
