#include <algorithm>

#include "core/bayesopt/acquisition_optimizer.hpp"

namespace tempera {

namespace {

constexpr std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

/// Groups of starts, dealt: each gives the values and coordinates of its points.
std::vector<ScoredPoint> polish_groups(const Space& space, const AcquisitionSearch& search,
                                       std::span<const ScoredPoint> starts, std::span<const RandomStream> streams,
                                       Index together, Dealer& dealer) {
  const Index groups = (std::ssize(starts) + together - 1) / together;
  const auto results = dealer.deal(groups, [&](Index group) {
    const auto first = at(group * together), count = std::min(at(together), starts.size() - first);
    const auto some = starts.subspan(first, count);
    const auto theirs = streams.subspan(first, count);
    std::vector<double> numbers;
    for (const ScoredPoint& scored : search.polish({some.begin(), some.end()}, {theirs.begin(), theirs.end()})) {
      numbers.push_back(scored.value);
      numbers.insert(numbers.end(), scored.point.begin(), scored.point.end());
    }
    return numbers;
  });
  std::vector<ScoredPoint> polished;
  for (const std::vector<double>& numbers : results)
    for (auto number = numbers.begin(); number != numbers.end(); number += 1 + space.size())
      polished.push_back({Point(number + 1, number + 1 + space.size()), *number});
  return polished;
}

}  // namespace

std::optional<ScoredPoint> maximize_acquisition(const Space& space, const Acquisition& acquisition,
                                                std::span<const Point> tried, std::span<const Point> pending,
                                                std::uint64_t seed, Index number, const SearchOptions& options,
                                                Dealer& dealer) {
  std::vector<Point> known(tried.begin(), tried.end());
  known.insert(known.end(), pending.begin(), pending.end());
  PointSet set;
  for (const Point& point : known) set.insert(point);
  const std::vector<Point> candidates = candidate_points(space, tried, set, seed, number, options.candidates);
  const AcquisitionSearch search(space, acquisition, options);
  std::vector<double> values;
  for (const auto& some :
       dealer.deal(search.blocks(candidates), [&](Index block) { return search.score(candidates, block); }))
    values.insert(values.end(), some.begin(), some.end());
  std::vector<ScoredPoint> starts;
  std::vector<RandomStream> streams;
  for (const Index i : search.starts(candidates, values)) {
    starts.push_back({candidates[at(i)], values[at(i)]});
    streams.push_back(RandomStream(seed, "bayesopt-polish", {number, i}));
  }
  const std::vector<ScoredPoint> polished = polish_groups(space, search, starts, streams, options.together, dealer);
  return search.choose(polished, candidates, values, known);
}

std::optional<ScoredPoint> maximize_acquisition(const Space& space, const Acquisition& acquisition,
                                                std::span<const Point> tried, std::span<const Point> pending,
                                                std::uint64_t seed, Index number, const SearchOptions& options) {
  Dealer alone;
  return maximize_acquisition(space, acquisition, tried, pending, seed, number, options, alone);
}

}  // namespace tempera
