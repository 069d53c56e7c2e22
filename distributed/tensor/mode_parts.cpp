#include "distributed/tensor/mode_parts.hpp"

#include <algorithm>
#include <numeric>
#include <queue>
#include <utility>

#include "core/base/contract.hpp"

namespace tempera {

ModeParts ModeParts::whole(Index size) {
  return bins_for(size, false);
}

ModeParts ModeParts::bins_for(Index size, bool scattered) {
  ModeParts result;
  result.scattered_ = scattered && size > kMaximumBins;
  Index bins = kMaximumBins;
  if (!result.scattered_) {
    while (((size - 1) >> result.shift_) >= kMaximumBins) ++result.shift_;
    bins = ((size - 1) >> result.shift_) + 1;
  }
  result.part_of_bin_.assign(static_cast<std::size_t>(bins), 0);
  return result;
}

void ModeParts::cut(std::span<const Index> weights, int parts) {
  TEMPERA_EXPECTS(static_cast<Index>(weights.size()) == bins() && parts >= 1);
  parts_ = parts;
  const auto parts_needed = [&](Index bottleneck) {
    int needed = 1;
    Index sum = 0;
    for (Index weight : weights) {
      if (sum + weight > bottleneck) {
        ++needed;
        sum = 0;
      }
      sum += weight;
    }
    return needed;
  };
  const Index total = std::accumulate(weights.begin(), weights.end(), Index{0});
  Index low = std::max(weights.empty() ? Index{0} : *std::max_element(weights.begin(), weights.end()),
                       (total + parts - 1) / parts);
  Index high = total;
  while (low < high) {
    const Index middle = low + (high - low) / 2;
    if (parts_needed(middle) <= parts)
      high = middle;
    else
      low = middle + 1;
  }
  int part = 0;
  Index sum = 0;
  for (std::size_t bin = 0; bin < weights.size(); ++bin) {
    // A new part also begins when only as many bins as parts are left, so that no part stays empty needlessly.
    const bool must_open = static_cast<Index>(weights.size() - bin) == static_cast<Index>(parts - 1 - part) && bin > 0;
    if (part + 1 < parts && (sum + weights[bin] > low || must_open)) {
      ++part;
      sum = 0;
    }
    sum += weights[bin];
    part_of_bin_[bin] = part;
  }
}

void ModeParts::deal(std::span<const Index> weights, int parts) {
  TEMPERA_EXPECTS(static_cast<Index>(weights.size()) == bins() && parts >= 1);
  parts_ = parts;
  std::vector<std::size_t> by_weight(weights.size());
  std::iota(by_weight.begin(), by_weight.end(), std::size_t{0});
  std::stable_sort(by_weight.begin(), by_weight.end(),
                   [&](std::size_t a, std::size_t b) { return weights[a] > weights[b]; });
  using Load = std::pair<Index, int>;
  std::priority_queue<Load, std::vector<Load>, std::greater<>> lightest;
  for (int part = 0; part < parts; ++part) lightest.push({0, part});
  for (std::size_t bin : by_weight) {
    auto [load, part] = lightest.top();
    lightest.pop();
    part_of_bin_[bin] = part;
    lightest.push({load + weights[bin], part});
  }
}

void ModeParts::spread(std::vector<Index> indices) {
  TEMPERA_EXPECTS(spread_.empty() && std::is_sorted(indices.begin(), indices.end()));
  if (parts_ == 1) return;
  spread_ = std::move(indices);
  for (Index index : spread_) {
    std::int32_t& part = part_of_bin_[static_cast<std::size_t>(bin_of(index))];
    if (part >= 0) part = ~part;
  }
}

}  // namespace tempera
