#include "core/sampling/detail/rank_normal.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/sort/pdqsort/pdqsort.hpp>
#include <cmath>

namespace tempera::detail {

namespace {

/// Boost evaluates a double in long double unless told; its 53 bits suffice here and cost a third.
using Policy = boost::math::policies::policy<boost::math::policies::promote_double<false>>;

/// @param twice_rank  2 × a rank in 1 … size, which may be half-integral
double normal_score(std::size_t twice_rank, std::size_t size) {
  // Scores of ranks r and size + 1 − r are opposite: only the lower tail is computed, where p keeps all its digits.
  const std::size_t mirrored = 2 * (size + 1) - twice_rank;
  if (twice_rank == mirrored) return 0;
  if (twice_rank > mirrored) return -normal_score(mirrored, size);
  const double p = (static_cast<double>(twice_rank) / 2 - 0.375) / (static_cast<double>(size) + 0.25);
  return boost::math::quantile(boost::math::normal_distribution<double, Policy>(), p);
}

}  // namespace

void sort_draws(std::span<RankedDraw> draws) {
  boost::sort::pdqsort_branchless(draws.begin(), draws.end(),
                                  [](const RankedDraw& a, const RankedDraw& b) { return a.value < b.value; });
}

void fold_sorted(std::span<const RankedDraw> sorted, double median, std::vector<RankedDraw>& folded) {
  folded.resize(sorted.size());
  // Both sides of the median are sorted by distance already: a merge.
  auto above = std::partition_point(sorted.begin(), sorted.end(),
                                    [median](const RankedDraw& draw) { return draw.value < median; });
  auto below = above;
  for (RankedDraw& next : folded) {
    const bool take_below =
        above == sorted.end() || (below != sorted.begin() && median - (below - 1)->value < above->value - median);
    const RankedDraw& nearest = take_below ? *--below : *above++;
    next = {std::abs(nearest.value - median), nearest.place};
  }
}

void NormalScores::write(std::span<const RankedDraw> sorted, std::span<double> scores) {
  if (of_rank_.size() != scores.size()) {
    of_rank_.resize(scores.size());
    for (std::size_t rank = 1; rank <= scores.size(); ++rank)
      of_rank_[rank - 1] = normal_score(2 * rank, scores.size());
  }
  std::size_t ranked = 0;
  for (std::size_t first = 0; first < sorted.size();) {
    std::size_t end = first;
    std::size_t group = 0;
    for (; end < sorted.size() && sorted[end].value == sorted[first].value; ++end)
      if (sorted[end].place < scores.size()) ++group;
    const std::size_t twice_rank = 2 * ranked + group + 1;
    if (group > 0) {
      const double score = twice_rank % 2 == 0 ? of_rank_[twice_rank / 2 - 1] : normal_score(twice_rank, scores.size());
      for (; first < end; ++first)
        if (sorted[first].place < scores.size()) scores[sorted[first].place] = score;
    }
    ranked += group;
    first = end;
  }
}

}  // namespace tempera::detail
