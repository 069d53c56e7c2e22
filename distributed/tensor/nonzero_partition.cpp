#include "distributed/tensor/nonzero_partition.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "core/base/error.hpp"
#include "distributed/tensor/candidate_parts.hpp"
#include "distributed/tensor/exchange_volume.hpp"

namespace tempera {

namespace {

// Grids whose volume and whose true block sizes are counted at most, per kind of parts.
constexpr std::size_t kCountedCandidates = 24;
// Volumes are about equal up to this ratio.
constexpr double kEqualVolume = 1.03;
// Slices above this share of a fair part are spread: giants at first, lighter and lighter ones while nothing is balanced.
constexpr double kSpreadShares[] = {0.5, 0.125, 0.03125, 0.0078125};

void extend_candidates(int ranks, std::span<const Index> limits, std::vector<int>& prefix,
                       std::vector<std::vector<int>>& found) {
  const std::size_t mode = prefix.size();
  if (mode + 1 == limits.size()) {
    if (ranks <= limits[mode]) {
      found.push_back(prefix);
      found.back().push_back(ranks);
    }
    return;
  }
  for (int extent = 1; extent <= ranks; ++extent)
    if (ranks % extent == 0 && extent <= limits[mode]) {
      prefix.push_back(extent);
      extend_candidates(ranks / extent, limits, prefix, found);
      prefix.pop_back();
    }
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

/// Grids by the copies that are expected. Collective: ranks of one job may differ in the last bit, rank 0 decides.
std::vector<std::vector<int>> by_expected_copies(const Communicator& communicator, std::span<const Index> shape,
                                                 std::span<const std::vector<Index>> weights,
                                                 std::vector<std::vector<int>> grids) {
  std::map<std::pair<std::size_t, int>, double> of_mode;  // by mode and extent
  std::vector<double> copies;
  for (const std::vector<int>& grid : grids) {
    double& sum = copies.emplace_back(0);
    for (std::size_t mode = 0; mode < grid.size(); ++mode) {
      const auto [found, is_new] = of_mode.try_emplace({mode, grid[mode]}, 0);
      if (is_new)
        found->second =
            expected_copies(weights[mode], static_cast<double>(shape[mode]) / static_cast<double>(weights[mode].size()),
                            static_cast<double>(grid_ranks(grid) / grid[mode]));
      sum += found->second;
    }
  }
  communicator.broadcast(std::span<double>(copies), 0);
  std::vector<std::size_t> order(grids.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return copies[a] < copies[b]; });
  std::vector<std::vector<int>> sorted;
  for (const std::size_t k : order) sorted.push_back(std::move(grids[k]));
  return sorted;
}

double counted_balance(const Communicator& communicator, const NonzeroPartition& partition,
                       std::span<const SparseTensor> blocks) {
  const int ranks = grid_ranks(partition.grid);
  std::vector<Index> counts(static_cast<std::size_t>(ranks), 0);
  for (const SparseTensor& block : blocks) {
    std::vector<const Index*> columns;
    for (int mode = 0; mode < block.order(); ++mode) columns.push_back(block.indices(mode).data());
    for (std::size_t k = 0; k < static_cast<std::size_t>(block.nonzeros()); ++k)
      ++counts[static_cast<std::size_t>(partition.rank_of([&](std::size_t mode) { return columns[mode][k]; }))];
  }
  communicator.all_reduce(std::span<Index>(counts), Reduction::sum);
  const Index most = *std::max_element(counts.begin(), counts.end());
  return static_cast<double>(most) * ranks / static_cast<double>(partition.nonzeros);
}

/// Looks for the partition with about the least exchange volume among the balanced ones.
class PartitionSearch {
 public:
  PartitionSearch(const Communicator& communicator, std::span<const SparseTensor> blocks, CandidateParts& parts,
                  VolumeSample sample, std::vector<std::vector<int>> grids, double good)
      : good_(good),
        communicator_(communicator),
        blocks_(blocks),
        grids_(std::move(grids)),
        parts_(parts),
        sample_(std::move(sample)) {
    best_.balance = std::numeric_limits<double>::infinity();
  }

  NonzeroPartition find() {
    if (try_kinds({{false, 0}, {true, 0}, {true, kSpreadShares[0]}})) return std::move(best_);
    for (double share : std::span(kSpreadShares).subspan(1))
      if (try_kinds({{true, share}})) break;
    return std::move(best_);
  }

 private:
  struct Candidate {
    std::size_t grid;
    PartsKind kind;
    double bound;
    ExchangeVolume volume;
  };

  /// Counts candidates of these kinds until one is balanced; best_ is the best balanced of all that were counted.
  bool try_kinds(std::vector<PartsKind> kinds) {
    std::vector<Candidate> candidates;
    for (const PartsKind& kind : kinds) add_candidates(kind, candidates);
    for (Candidate& candidate : candidates)
      candidate.volume = sample_.count(parts_.partition(grids_[candidate.grid], candidate.kind));
    const std::vector<std::int32_t> order = order_of(candidates);
    for (std::int32_t k : order) {
      const Candidate& candidate = candidates[static_cast<std::size_t>(k)];
      if (candidate.bound >= best_.balance) continue;
      NonzeroPartition partition = parts_.partition(grids_[candidate.grid], candidate.kind);
      partition.balance = counted_balance(communicator_, partition, blocks_);
      partition.volume = candidate.volume.total;
      if (partition.balance < best_.balance) best_ = std::move(partition);
      if (best_.balance <= good_) return true;
    }
    return false;
  }

  /// The least volume first, where volumes are about equal the one that is shared most evenly; those that no parts can
  /// balance last. Ranks of one job may differ in the last bit of a volume: rank 0 decides.
  std::vector<std::int32_t> order_of(std::span<const Candidate> candidates) const {
    const auto candidate = [&](std::int32_t k) -> const Candidate& { return candidates[static_cast<std::size_t>(k)]; };
    const auto bound = [&](std::int32_t k) { return std::max(candidate(k).bound, good_); };
    std::vector<std::int32_t> order(candidates.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
      return bound(a) != bound(b) ? bound(a) < bound(b) : candidate(a).volume.total < candidate(b).volume.total;
    });
    for (auto first = order.begin(), last = first; first != order.end(); first = last) {
      const double limit = kEqualVolume * candidate(*first).volume.total;
      while (last != order.end() && bound(*last) == bound(*first) && candidate(*last).volume.total <= limit) ++last;
      std::stable_sort(first, last, [&](std::int32_t a, std::int32_t b) {
        return candidate(a).volume.most < candidate(b).volume.most;
      });
    }
    communicator_.broadcast(std::span<std::int32_t>(order), 0);
    return order;
  }

  /// The grids of fewest expected copies, those that cannot be balanced last.
  void add_candidates(PartsKind kind, std::vector<Candidate>& candidates) {
    std::vector<Candidate> added;
    for (std::size_t k = 0; k < grids_.size(); ++k)
      if (kind.spread_share == 0 || parts_.spreads(grids_[k], kind))
        added.push_back({k, kind, parts_.balance_bound(grids_[k], kind), {}});
    std::stable_sort(added.begin(), added.end(), [this](const Candidate& a, const Candidate& b) {
      return std::max(a.bound, good_) < std::max(b.bound, good_);
    });
    if (added.size() > kCountedCandidates) added.resize(kCountedCandidates);
    std::ranges::move(added, std::back_inserter(candidates));
  }

  double good_;  ///< balance that is even enough
  const Communicator& communicator_;
  std::span<const SparseTensor> blocks_;
  std::vector<std::vector<int>> grids_;  ///< by expected copies
  CandidateParts& parts_;
  VolumeSample sample_;
  NonzeroPartition best_;
};

std::vector<std::vector<int>> candidates(int most_ranks, std::span<const Index> shape, const std::vector<int>& grid) {
  if (grid.empty()) {
    for (int ranks = most_ranks; ranks > 1; --ranks)
      if (auto found = grid_candidates(ranks, shape); !found.empty()) return found;
    return {std::vector<int>(shape.size(), 1)};
  }
  check_grid(shape, grid);
  return {grid};
}

}  // namespace

double reachable_balance(Index nonzeros, int ranks) {
  return std::max(kGoodBalance, 1 + std::sqrt(2 * std::log(ranks) * ranks / static_cast<double>(nonzeros)));
}

int grid_ranks(const std::vector<int>& grid) {
  return std::accumulate(grid.begin(), grid.end(), 1, std::multiplies<>());
}

void check_grid(std::span<const Index> shape, const std::vector<int>& grid) {
  if (grid.size() != shape.size())
    throw Error(Category::usage, "--grid",
                fmt::format("{} extents for a tensor of order {}", grid.size(), shape.size()),
                "give one extent a mode, such as 2x2x1");
  for (std::size_t mode = 0; mode < shape.size(); ++mode)
    if (grid[mode] > shape[mode])
      throw Error(Category::usage, "--grid",
                  fmt::format("extent {} exceeds the size {} of mode {}", grid[mode], shape[mode], mode),
                  "use smaller extents in short modes, or --grid auto");
}

std::vector<std::vector<int>> grid_candidates(int ranks, std::span<const Index> limits) {
  std::vector<std::vector<int>> found;
  std::vector<int> prefix;
  extend_candidates(ranks, limits, prefix, found);
  return found;
}

PartitionChooser::PartitionChooser(const Communicator& communicator, std::span<const Index> shape,
                                   std::span<const SparseTensor> blocks)
    : communicator_(communicator), shape_(shape.begin(), shape.end()), blocks_(blocks) {
  for (const SparseTensor& block : blocks) nonzeros_ += block.nonzeros();
  nonzeros_ = communicator.all_reduce_value(nonzeros_, Reduction::sum);
}

PartitionChooser::~PartitionChooser() = default;

NonzeroPartition PartitionChooser::choose(int ranks, const std::vector<int>& grid, Index most_sampled) {
  auto grids = candidates(ranks, shape_, grid);
  if (grid_ranks(grids.front()) == 1 || nonzeros_ == 0) {
    NonzeroPartition trivial;
    trivial.grid = grids.front();
    trivial.nonzeros = nonzeros_;
    for (std::size_t mode = 0; mode < shape_.size(); ++mode) {
      trivial.modes.push_back(ModeParts::whole(shape_[mode]));
      const std::vector<Index> weights(static_cast<std::size_t>(trivial.modes[mode].bins()), 0);
      trivial.modes[mode].cut(weights, trivial.grid[mode]);
    }
    return trivial;
  }
  if (!parts_) parts_ = std::make_unique<CandidateParts>(shape_, communicator_, blocks_, nonzeros_);
  grids = by_expected_copies(communicator_, shape_, parts_->cut_weights(), std::move(grids));
  VolumeSample sample(communicator_, blocks_, parts_->cut_bins(), parts_->cut_weights(), nonzeros_, ranks,
                      most_sampled);
  const double good = reachable_balance(nonzeros_, grid_ranks(grids.front()));
  return PartitionSearch(communicator_, blocks_, *parts_, std::move(sample), std::move(grids), good).find();
}

NonzeroPartition choose_partition(const Communicator& communicator, std::span<const Index> shape,
                                  std::span<const SparseTensor> blocks, const std::vector<int>& grid) {
  return PartitionChooser(communicator, shape, blocks).choose(communicator.size(), grid);
}

}  // namespace tempera
