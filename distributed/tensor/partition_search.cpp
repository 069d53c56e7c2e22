#include "distributed/tensor/partition_search.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

namespace tempera {

namespace {

// Grids whose volume is counted from few rows at most, per kind of parts: all of order 4 on up to 4096 ranks.
constexpr std::size_t kRoughlyCounted = 4096;
// Partitions whose volume is counted from all rows that are allowed: so many, and as many again while none is balanced.
constexpr std::size_t kCounted = 24;
// So few grids (of three kinds each) need no rough counts.
constexpr std::size_t kFewGrids = kCounted / 3;
// Nonzeros of a mode for the first counts, about: fewer where there are more grids than a few hundred.
constexpr Index kRoughSample = Index{1} << 15, kLeastRoughSample = Index{1} << 12, kFewHundred = 512;
// Volumes are about equal up to this ratio.
constexpr double kEqualVolume = 1.03;
// Slices above this share of a fair part are spread: giants at first, lighter and lighter ones while nothing is balanced.
constexpr double kSpreadShares[] = {0.5, 0.125, 0.03125, 0.0078125};

Index rough_sample(std::size_t grids) {
  return std::clamp(kRoughSample * kFewHundred / static_cast<Index>(grids), kLeastRoughSample, kRoughSample);
}

/// Brings items into the order that `sort` gives their places. Ranks of one job may differ in the last bit of what they
/// compare: rank 0 decides.
template <class Item, class Sort>
void order_alike(const Communicator& communicator, std::span<Item> items, Sort&& sort) {
  std::vector<std::int32_t> order(items.size());
  std::iota(order.begin(), order.end(), 0);
  sort(order);
  communicator.broadcast(std::span<std::int32_t>(order), 0);
  std::vector<Item> sorted;
  for (const std::int32_t k : order) sorted.push_back(std::move(items[static_cast<std::size_t>(k)]));
  std::ranges::move(sorted, items.begin());
}

/// Stable.
template <class Item, class Less>
void sort_alike(const Communicator& communicator, std::vector<Item>& items, Less&& less) {
  order_alike(communicator, std::span(items), [&](std::vector<std::int32_t>& order) {
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
      return less(items[static_cast<std::size_t>(a)], items[static_cast<std::size_t>(b)]);
    });
  });
}

/// Copies of the rows of a mode on other ranks, expected if the nonzeros of each bin fell at random on its rows and on the
/// ranks of a layer.
/// @param rows  in a bin
double expected_copies(std::span<const Index> weights, double rows, double layer) {
  if (layer == 1) return 0;
  const auto hit = [](double places, double nonzeros) {
    return places > 1 ? places * -std::expm1(nonzeros * std::log1p(-1 / places)) : std::min(nonzeros, 1.0);
  };
  double copies = 0;
  for (const Index weight : weights) {
    const auto nonzeros = static_cast<double>(weight);
    copies += hit(rows * layer, nonzeros) - hit(rows, nonzeros);
  }
  return copies;
}

/// Grids by the copies that are expected.
std::vector<std::vector<int>> by_expected_copies(const Communicator& communicator, const CandidateParts& parts,
                                                 std::vector<std::vector<int>> grids) {
  struct Expected {
    double copies;
    std::vector<int> grid;
  };
  std::map<std::pair<std::size_t, int>, double> of_mode;  // by mode and extent
  std::vector<Expected> all;
  for (std::vector<int>& grid : grids) {
    double copies = 0;
    for (std::size_t mode = 0; mode < grid.size(); ++mode) {
      const auto [found, is_new] = of_mode.try_emplace({mode, grid[mode]}, 0);
      if (is_new)
        found->second =
            expected_copies(parts.cut_weights()[mode], static_cast<double>(parts.cut_bins()[mode].indices_a_bin()),
                            static_cast<double>(grid_ranks(grid) / grid[mode]));
      copies += found->second;
    }
    all.push_back({copies, std::move(grid)});
  }
  sort_alike(communicator, all, [](const Expected& a, const Expected& b) { return a.copies < b.copies; });
  std::vector<std::vector<int>> sorted;
  for (Expected& expected : all) sorted.push_back(std::move(expected.grid));
  return sorted;
}

}  // namespace

PartitionSearch::PartitionSearch(const Communicator& communicator, std::span<const SparseTensor> blocks,
                                 CandidateParts& parts, std::vector<std::vector<int>> grids, double good,
                                 Index most_sampled)
    : communicator_(communicator),
      blocks_(blocks),
      parts_(parts),
      grids_(by_expected_copies(communicator, parts, std::move(grids))),
      good_(good),
      rough_(communicator, blocks, parts.cut_bins(), parts.cut_weights(), parts.nonzeros(), grid_ranks(grids_.front()),
             grids_.size() > kFewGrids ? std::min(rough_sample(grids_.size()), most_sampled) : most_sampled) {
  if (grids_.size() > kFewGrids && !rough_.has_all_rows() && most_sampled > rough_sample(grids_.size()))
    fine_.emplace_back(communicator, blocks, parts.cut_bins(), parts.cut_weights(), parts.nonzeros(),
                       grid_ranks(grids_.front()), most_sampled);
  best_.balance = std::numeric_limits<double>::infinity();
}

NonzeroPartition PartitionSearch::find() {
  const PartsKind first[] = {{false, 0}, {true, 0}, {true, kSpreadShares[0]}};
  if (try_kinds(first)) return std::move(best_);
  for (double share : std::span(kSpreadShares).subspan(1))
    if (const PartsKind kind{true, share}; try_kinds(std::span(&kind, 1))) break;
  return std::move(best_);
}

/// Whether one of these kinds is balanced; best_ is the best balanced of all that were looked at.
bool PartitionSearch::try_kinds(std::span<const PartsKind> kinds) {
  std::vector<Candidate> candidates;
  for (const PartsKind& kind : kinds) add_candidates(kind, candidates);
  if (fine_.empty() || candidates.size() > kCounted) count(rough_, candidates);
  sort_alike(communicator_, candidates, is_before);
  const std::size_t at_once = fine_.empty() ? candidates.size() : kCounted;
  for (std::size_t first = 0; first < candidates.size(); first += at_once)
    if (try_candidates(std::span(candidates).subspan(first, std::min(at_once, candidates.size() - first)))) return true;
  return false;
}

bool PartitionSearch::try_candidates(std::span<Candidate> candidates) {
  for (const VolumeSample& fine : fine_) count(fine, candidates);
  sort_by_volume(candidates);
  for (const Candidate& candidate : candidates) {
    if (candidate.bound >= best_.balance) continue;
    NonzeroPartition partition = parts_.partition(grids_[candidate.grid], candidate.kind);
    partition.balance = balance_of(partition);
    partition.volume = candidate.volume.total;
    if (partition.balance < best_.balance) best_ = std::move(partition);
    if (best_.balance <= good_) return true;
  }
  return false;
}

/// The grids of fewest expected copies, those that cannot be balanced last.
void PartitionSearch::add_candidates(PartsKind kind, std::vector<Candidate>& candidates) {
  std::vector<Candidate> added;
  for (std::size_t k = 0; k < grids_.size(); ++k)
    if (kind.spread_share == 0 || parts_.spreads(grids_[k], kind))
      added.push_back({k, kind, std::max(parts_.balance_bound(grids_[k], kind), good_), {}});
  std::stable_sort(added.begin(), added.end(),
                   [](const Candidate& a, const Candidate& b) { return a.bound < b.bound; });
  if (added.size() > kRoughlyCounted) added.resize(kRoughlyCounted);
  std::ranges::move(added, std::back_inserter(candidates));
}

/// By what no parts can balance, then by volume.
bool PartitionSearch::is_before(const Candidate& a, const Candidate& b) {
  return a.bound != b.bound ? a.bound < b.bound : a.volume.total < b.volume.total;
}

void PartitionSearch::count(const VolumeSample& sample, std::span<Candidate> candidates) {
  for (Candidate& candidate : candidates)
    candidate.volume = sample.count(parts_.partition(grids_[candidate.grid], candidate.kind));
}

/// The least volume first, where volumes are about equal the one that is shared most evenly; those that no parts can
/// balance last.
void PartitionSearch::sort_by_volume(std::span<Candidate> candidates) const {
  const auto candidate = [&](std::int32_t k) -> const Candidate& { return candidates[static_cast<std::size_t>(k)]; };
  order_alike(communicator_, candidates, [&](std::vector<std::int32_t>& order) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int32_t a, std::int32_t b) { return is_before(candidate(a), candidate(b)); });
    for (auto first = order.begin(), last = first; first != order.end(); first = last) {
      const Candidate& least = candidate(*first);
      while (last != order.end() && candidate(*last).bound == least.bound &&
             candidate(*last).volume.total <= kEqualVolume * least.volume.total)
        ++last;
      std::stable_sort(first, last, [&](std::int32_t a, std::int32_t b) {
        return candidate(a).volume.most < candidate(b).volume.most;
      });
    }
  });
}

double PartitionSearch::balance_of(const NonzeroPartition& partition) const {
  const int ranks = grid_ranks(partition.grid);
  std::vector<Index> counts(static_cast<std::size_t>(ranks), 0);
  for (const SparseTensor& block : blocks_) {
    std::vector<const Index*> columns;
    for (int mode = 0; mode < block.order(); ++mode) columns.push_back(block.indices(mode).data());
    for (std::size_t k = 0; k < static_cast<std::size_t>(block.nonzeros()); ++k)
      ++counts[static_cast<std::size_t>(partition.rank_of([&](std::size_t mode) { return columns[mode][k]; }))];
  }
  communicator_.all_reduce(std::span<Index>(counts), Reduction::sum);
  const Index most = *std::max_element(counts.begin(), counts.end());
  return static_cast<double>(most) * ranks / static_cast<double>(partition.nonzeros);
}

}  // namespace tempera
