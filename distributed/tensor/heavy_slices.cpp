#include "distributed/tensor/heavy_slices.hpp"

#include <algorithm>
#include <unordered_map>

namespace tempera {

namespace {

constexpr std::uint64_t kFineBins = std::uint64_t{1} << 16;

/// Unlike the bins of ModeParts, which take the lowest bits of the same mixture.
std::size_t fine_bin_of(Index index) {
  return static_cast<std::size_t>(mix_bits(static_cast<std::uint64_t>(index)) >> 48);
}

template <class Visit>
void for_each_index_in(std::span<const SparseTensor> blocks, int mode, const ModeParts& bins,
                       std::span<const Index> weights, Index least, Visit&& visit) {
  for (const SparseTensor& block : blocks)
    for (Index index : block.indices(mode))
      if (weights[static_cast<std::size_t>(bins.bin_of(index))] > least) visit(index);
}

}  // namespace

std::vector<HeavySlice> heavy_slices(const Communicator& communicator, std::span<const SparseTensor> blocks, int mode,
                                     const ModeParts& bins, std::span<const Index> weights, Index least) {
  std::vector<HeavySlice> result;
  if (std::none_of(weights.begin(), weights.end(), [&](Index weight) { return weight > least; })) return result;
  if (bins.one_index_a_bin()) {
    for (std::size_t bin = 0; bin < weights.size(); ++bin)
      if (weights[bin] > least) result.push_back({static_cast<Index>(bin), weights[bin]});
    return result;
  }
  std::vector<Index> fine(kFineBins, 0);
  for_each_index_in(blocks, mode, bins, weights, least, [&](Index index) { ++fine[fine_bin_of(index)]; });
  communicator.all_reduce(std::span<Index>(fine), Reduction::sum);
  std::unordered_map<Index, Index> counts;
  for_each_index_in(blocks, mode, bins, weights, least, [&](Index index) {
    if (fine[fine_bin_of(index)] > least) ++counts[index];
  });
  // A slice is heavy only if its share of the average rank is held by some rank.
  std::vector<Index> candidates;
  for (const auto& [index, count] : counts)
    if (count > least / communicator.size()) candidates.push_back(index);
  candidates = communicator.all_gather(std::span<const Index>(candidates));
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  std::vector<Index> totals;
  for (Index index : candidates) {
    const auto found = counts.find(index);
    totals.push_back(found == counts.end() ? 0 : found->second);
  }
  communicator.all_reduce(std::span<Index>(totals), Reduction::sum);
  for (std::size_t k = 0; k < candidates.size(); ++k)
    if (totals[k] > least) result.push_back({candidates[k], totals[k]});
  return result;
}

}  // namespace tempera
