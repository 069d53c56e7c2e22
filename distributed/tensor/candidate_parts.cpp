#include "distributed/tensor/candidate_parts.hpp"

#include <algorithm>
#include <utility>

namespace tempera {

namespace {

constexpr double kLightestSpread = 0x1p-15;  // share of all nonzeros below which no slice is spread

std::vector<Index> histogram(const Communicator& communicator, const ModeParts& bins, int mode,
                             std::span<const SparseTensor> blocks) {
  std::vector<Index> weights(static_cast<std::size_t>(bins.bins()), 0);
  for (const SparseTensor& block : blocks)
    for (Index index : block.indices(mode)) ++weights[static_cast<std::size_t>(bins.bin_of(index))];
  communicator.all_reduce(std::span<Index>(weights), Reduction::sum);
  return weights;
}

std::vector<std::vector<Index>> histograms(const Communicator& communicator, std::span<const ModeParts> modes,
                                           std::span<const SparseTensor> blocks) {
  std::vector<std::vector<Index>> result;
  for (std::size_t mode = 0; mode < modes.size(); ++mode)
    result.push_back(histogram(communicator, modes[mode], static_cast<int>(mode), blocks));
  return result;
}

}  // namespace

CandidateParts::CandidateParts(std::span<const Index> shape, const Communicator& communicator,
                               std::span<const SparseTensor> blocks, Index nonzeros)
    : communicator_(communicator), blocks_(blocks), nonzeros_(nonzeros) {
  for (Index size : shape) bins_[0].push_back(ModeParts::bins_for(size, false));
  weights_[0] = histograms(communicator, bins_[0], blocks);
  for (Index size : shape) bins_[1].push_back(ModeParts::bins_for(size, true));
}

NonzeroPartition CandidateParts::partition(const std::vector<int>& grid, PartsKind kind) {
  NonzeroPartition result;
  result.grid = grid;
  result.nonzeros = nonzeros_;
  for (std::size_t mode = 0; mode < grid.size(); ++mode) result.modes.push_back(entry(mode, grid[mode], kind).parts);
  return result;
}

double CandidateParts::balance_bound(const std::vector<int>& grid, PartsKind kind) {
  double bound = 1;
  for (std::size_t mode = 0; mode < grid.size(); ++mode)
    bound = std::max(bound, entry(mode, grid[mode], kind).heaviest * grid[mode] / static_cast<double>(nonzeros_));
  return bound;
}

bool CandidateParts::spreads(const std::vector<int>& grid, PartsKind kind) {
  for (std::size_t mode = 0; mode < grid.size(); ++mode)
    if (!entry(mode, grid[mode], kind).parts.spread_indices().empty()) return true;
  return false;
}

const CandidateParts::Entry& CandidateParts::entry(std::size_t mode, int extent, PartsKind kind) {
  const auto found = entries_.find({mode, extent, kind.scattered, kind.spread_share});
  if (found != entries_.end()) return found->second;
  Entry result = made(mode, extent, kind);
  return entries_.emplace(Key{mode, extent, kind.scattered, kind.spread_share}, std::move(result)).first->second;
}

CandidateParts::Entry CandidateParts::made(std::size_t mode, int extent, PartsKind kind) {
  Entry result{bins_[kind.scattered ? 1 : 0][mode], static_cast<double>(nonzeros_)};
  if (extent == 1) return result;
  if (kind.scattered && weights_[1].empty()) make_scattered_weights();
  std::vector<Index> weights = weights_[kind.scattered ? 1 : 0][mode];
  std::vector<Index> spread;
  Index spread_nonzeros = 0;
  if (kind.spread_share > 0)
    for (const HeavySlice& slice : slices_above(mode, kind.spread_share * static_cast<double>(nonzeros_) / extent)) {
      spread.push_back(slice.index);
      weights[static_cast<std::size_t>(result.parts.bin_of(slice.index))] -= slice.nonzeros;
      spread_nonzeros += slice.nonzeros;
    }
  if (kind.scattered)
    result.parts.deal(weights, extent);
  else
    result.parts.cut(weights, extent);
  std::vector<Index> loads(static_cast<std::size_t>(extent), 0);
  for (std::size_t bin = 0; bin < weights.size(); ++bin)
    loads[static_cast<std::size_t>(result.parts.part_of_bin(static_cast<Index>(bin)))] += weights[bin];
  result.heaviest = static_cast<double>(*std::max_element(loads.begin(), loads.end())) +
                    static_cast<double>(spread_nonzeros) / extent;
  result.parts.spread(std::move(spread));
  return result;
}

/// Short modes have the same bins of either kind.
void CandidateParts::make_scattered_weights() {
  for (std::size_t mode = 0; mode < bins_[1].size(); ++mode)
    weights_[1].push_back(bins_[1][mode].one_index_a_bin()
                              ? weights_[0][mode]
                              : histogram(communicator_, bins_[1][mode], static_cast<int>(mode), blocks_));
}

std::vector<HeavySlice> CandidateParts::slices_above(std::size_t mode, double least) {
  const auto limit = static_cast<Index>(std::max(least, kLightestSpread * static_cast<double>(nonzeros_)));
  auto [found, is_new] = slices_.try_emplace(mode, Slices{limit, {}});
  Slices& known = found->second;
  if (is_new || limit < known.least)
    known = {limit,
             heavy_slices(communicator_, blocks_, static_cast<int>(mode), bins_[1][mode], weights_[1][mode], limit)};
  std::vector<HeavySlice> result = known.slices;
  std::erase_if(result, [limit](const HeavySlice& slice) { return slice.nonzeros <= limit; });
  return result;
}

}  // namespace tempera
