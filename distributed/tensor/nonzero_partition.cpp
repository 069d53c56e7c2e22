#include "distributed/tensor/nonzero_partition.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "core/base/error.hpp"

namespace tempera {

namespace {

constexpr int kCountedCandidates = 24;  // grids whose true block sizes are counted at most, per kind of parts
// Nonzeros a rank sends in one round of the redistribution: a small share of what it holds, so that buffers do not count.
constexpr Index kSmallestRound = Index{1} << 12, kLargestRound = Index{1} << 17, kRounds = 32;

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

/// Rows that a rank exchanges over one sweep, estimated as if nonzeros fell at random into its block of rows.
double estimated_rows(std::span<const Index> shape, const std::vector<int>& grid, double nonzeros) {
  double ranks = 1, rows = 0;
  for (int extent : grid) ranks *= extent;
  for (std::size_t mode = 0; mode < grid.size(); ++mode) {
    const double block = static_cast<double>(shape[mode]) / grid[mode];
    const double layer = ranks / grid[mode];
    const double touched = block * -std::expm1(-nonzeros / ranks / block);
    rows += touched * (1 - 1 / layer);
  }
  return rows;
}

std::vector<std::vector<Index>> histograms(const Communicator& communicator, std::span<const ModeParts> modes,
                                           std::span<const SparseTensor> blocks) {
  std::vector<std::vector<Index>> result;
  for (std::size_t mode = 0; mode < modes.size(); ++mode) {
    std::vector<Index> weights(static_cast<std::size_t>(modes[mode].bins()), 0);
    for (const SparseTensor& block : blocks)
      for (Index index : block.indices(static_cast<int>(mode)))
        ++weights[static_cast<std::size_t>(modes[mode].bin_of(index))];
    communicator.all_reduce(std::span<Index>(weights), Reduction::sum);
    result.push_back(std::move(weights));
  }
  return result;
}

int rank_of(const std::vector<ModeParts>& modes, const std::vector<int>& grid, const SparseTensor& block,
            std::size_t entry) {
  int rank = 0;
  for (std::size_t mode = modes.size(); mode-- > 0;)
    rank = rank * grid[mode] + modes[mode].part_of(block.indices(static_cast<int>(mode))[entry]);
  return rank;
}

double counted_balance(const Communicator& communicator, const std::vector<ModeParts>& modes,
                       const std::vector<int>& grid, std::span<const SparseTensor> blocks, Index nonzeros) {
  int ranks = 1;
  for (int extent : grid) ranks *= extent;
  if (ranks == 1 || nonzeros == 0) return 1;
  std::vector<Index> counts(static_cast<std::size_t>(ranks), 0);
  for (const SparseTensor& block : blocks)
    for (std::size_t k = 0; k < static_cast<std::size_t>(block.nonzeros()); ++k)
      ++counts[static_cast<std::size_t>(rank_of(modes, grid, block, k))];
  communicator.all_reduce(std::span<Index>(counts), Reduction::sum);
  const Index most = *std::max_element(counts.begin(), counts.end());
  return static_cast<double>(most) * ranks / static_cast<double>(nonzeros);
}

/// The parts of every mode for each extent that a candidate grid asks for, made once.
class CandidateParts {
 public:
  CandidateParts(std::span<const Index> shape, bool scattered, const Communicator& communicator,
                 std::span<const SparseTensor> blocks)
      : scattered_(scattered) {
    for (Index size : shape) bins_.push_back(ModeParts::bins_for(size, scattered));
    weights_ = histograms(communicator, bins_, blocks);
  }

  std::vector<ModeParts> of(const std::vector<int>& grid) {
    std::vector<ModeParts> modes;
    for (std::size_t mode = 0; mode < grid.size(); ++mode) modes.push_back(entry(mode, grid[mode]).parts);
    return modes;
  }

  /// Most nonzeros in one part of a mode over their mean, for the worst mode: no block can be fairer than that.
  double balance_bound(const std::vector<int>& grid, Index nonzeros) {
    double bound = 1;
    for (std::size_t mode = 0; mode < grid.size() && nonzeros > 0; ++mode)
      bound = std::max(
          bound, static_cast<double>(entry(mode, grid[mode]).heaviest) * grid[mode] / static_cast<double>(nonzeros));
    return bound;
  }

 private:
  struct Entry {
    ModeParts parts;
    Index heaviest = 0;
  };

  const Entry& entry(std::size_t mode, int extent) {
    auto [found, is_new] = entries_.try_emplace({mode, extent}, Entry{bins_[mode], 0});
    Entry& result = found->second;
    if (!is_new) return result;
    if (scattered_)
      result.parts.deal(weights_[mode], extent);
    else
      result.parts.cut(weights_[mode], extent);
    std::vector<Index> loads(static_cast<std::size_t>(extent), 0);
    for (std::size_t bin = 0; bin < weights_[mode].size(); ++bin)
      loads[static_cast<std::size_t>(result.parts.part_of_bin(static_cast<Index>(bin)))] += weights_[mode][bin];
    result.heaviest = *std::max_element(loads.begin(), loads.end());
    return result;
  }

  bool scattered_;
  std::vector<ModeParts> bins_;
  std::vector<std::vector<Index>> weights_;
  std::map<std::pair<std::size_t, int>, Entry> entries_;
};

std::vector<std::vector<int>> candidates(const Communicator& communicator, std::span<const Index> shape,
                                         const std::vector<int>& grid) {
  if (grid.empty()) {
    for (int ranks = communicator.size(); ranks > 1; --ranks)
      if (auto found = grid_candidates(ranks, shape); !found.empty()) return found;
    return {std::vector<int>(shape.size(), 1)};
  }
  check_grid(shape, grid);
  return {grid};
}

}  // namespace

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

NonzeroPartition choose_partition(const Communicator& communicator, std::span<const Index> shape,
                                  std::span<const SparseTensor> blocks, const std::vector<int>& grid) {
  Index nonzeros = 0;
  for (const SparseTensor& block : blocks) nonzeros += block.nonzeros();
  nonzeros = communicator.all_reduce_value(nonzeros, Reduction::sum);

  auto grids = candidates(communicator, shape, grid);
  std::stable_sort(grids.begin(), grids.end(), [&](const auto& a, const auto& b) {
    return estimated_rows(shape, a, static_cast<double>(nonzeros)) <
           estimated_rows(shape, b, static_cast<double>(nonzeros));
  });
  NonzeroPartition best;
  best.nonzeros = nonzeros;
  best.balance = std::numeric_limits<double>::infinity();
  for (bool scattered : {false, true}) {
    CandidateParts parts(shape, scattered, communicator, blocks);
    // A grid is as unbalanced as its worst mode at least: those that cannot be balanced are counted last.
    std::vector<double> bounds;
    for (const auto& candidate : grids) bounds.push_back(parts.balance_bound(candidate, nonzeros));
    std::vector<std::size_t> order(grids.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::max(bounds[a], kGoodBalance) < std::max(bounds[b], kGoodBalance);
    });
    int counted = 0;
    for (std::size_t k : order) {
      if (bounds[k] >= best.balance || counted++ == kCountedCandidates) break;
      std::vector<ModeParts> modes = parts.of(grids[k]);
      const double balance = counted_balance(communicator, modes, grids[k], blocks, nonzeros);
      if (balance < best.balance) {
        best.grid = grids[k];
        best.modes = std::move(modes);
        best.balance = balance;
        best.scattered = scattered;
      }
      if (best.balance <= kGoodBalance) return best;
    }
  }
  return best;
}

namespace {

/// One after the other; each block goes when it has been copied.
SparseTensor joined(std::span<const Index> shape, std::vector<SparseTensor>&& blocks) {
  if (blocks.size() == 1) return std::move(blocks.front());
  std::size_t total = 0;
  for (const SparseTensor& block : blocks) total += static_cast<std::size_t>(block.nonzeros());
  std::vector<std::vector<Index>> indices(shape.size());
  std::vector<double> values;
  for (auto& mode : indices) mode.reserve(total);
  values.reserve(total);
  for (SparseTensor& block : blocks) {
    for (std::size_t mode = 0; mode < shape.size(); ++mode) {
      const auto part = block.indices(static_cast<int>(mode));
      indices[mode].insert(indices[mode].end(), part.begin(), part.end());
    }
    values.insert(values.end(), block.values().begin(), block.values().end());
    block = SparseTensor();
  }
  return SparseTensor({shape.begin(), shape.end()}, std::move(indices), std::move(values));
}

}  // namespace

SparseTensor redistribute(const Communicator& communicator, const NonzeroPartition& partition,
                          std::span<const Index> shape, std::vector<SparseTensor>&& blocks) {
  if (communicator.size() == 1) return joined(shape, std::move(blocks));
  const auto ranks = static_cast<std::size_t>(communicator.size());
  const std::size_t order = shape.size(), words = order + 1;
  std::vector<Index> counts(ranks, 0);
  Index held = 0;
  for (const SparseTensor& block : blocks) {
    held += block.nonzeros();
    for (std::size_t k = 0; k < static_cast<std::size_t>(block.nonzeros()); ++k)
      ++counts[static_cast<std::size_t>(rank_of(partition.modes, partition.grid, block, k))];
  }
  const Index round = std::clamp(held / kRounds, kSmallestRound, kLargestRound);
  const std::vector<Index> one_each(ranks, 1);
  Index arriving = 0;
  for (Index count : communicator.all_to_all(std::span<const Index>(counts), std::span<const Index>(one_each)))
    arriving += count;

  std::vector<std::vector<Index>> indices(order);
  std::vector<double> values;
  for (auto& mode : indices) mode.reserve(static_cast<std::size_t>(arriving));
  values.reserve(static_cast<std::size_t>(arriving));
  std::vector<std::vector<Index>> outgoing(ranks);
  std::vector<Index> send;
  std::size_t block_number = 0, entry = 0;
  for (;;) {
    // Bucket the nonzeros of this round by destination, as words index … index, value.
    for (auto& bucket : outgoing) bucket.clear();
    Index taken = 0;
    while (block_number < blocks.size() && taken < round) {
      const SparseTensor& block = blocks[block_number];
      const auto count = static_cast<std::size_t>(block.nonzeros());
      for (; entry < count && taken < round; ++entry, ++taken) {
        auto& bucket = outgoing[static_cast<std::size_t>(rank_of(partition.modes, partition.grid, block, entry))];
        for (std::size_t mode = 0; mode < order; ++mode) bucket.push_back(block.indices(static_cast<int>(mode))[entry]);
        bucket.push_back(std::bit_cast<Index>(block.values()[entry]));
      }
      if (entry == count) {
        blocks[block_number] = SparseTensor();
        ++block_number;
        entry = 0;
      }
    }
    if (communicator.all_reduce_value(taken, Reduction::maximum) == 0) break;
    send.clear();
    for (std::size_t q = 0; q < ranks; ++q) {
      counts[q] = static_cast<Index>(outgoing[q].size());
      send.insert(send.end(), outgoing[q].begin(), outgoing[q].end());
    }
    const auto received = communicator.all_to_all(std::span<const Index>(send), std::span<const Index>(counts));
    for (std::size_t k = 0; k < received.size(); k += words) {
      for (std::size_t mode = 0; mode < order; ++mode) indices[mode].push_back(received[k + mode]);
      values.push_back(std::bit_cast<double>(received[k + order]));
    }
  }
  return SparseTensor({shape.begin(), shape.end()}, std::move(indices), std::move(values));
}

}  // namespace tempera
