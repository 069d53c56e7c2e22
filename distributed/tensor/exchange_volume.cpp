#include "distributed/tensor/exchange_volume.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace tempera {

namespace {

/// Nonzeros kept of a row: with eight a rank, spread evenly, one rank in 3000 is missed.
Index kept_of_row(int ranks) {
  return std::max<Index>(64, 8 * ranks);
}

std::uint64_t hash_of_row(Index row) {
  return mix_bits(static_cast<std::uint64_t>(row) ^ 0x5bf03635c17de1a9u);
}

bool drawn(std::uint64_t hash, double share) {
  return share >= 1 || static_cast<double>(hash) < share * 0x1p64;
}

}  // namespace

VolumeSample::VolumeSample(const Communicator& communicator, std::span<const SparseTensor> blocks,
                           std::span<const ModeParts> bins, std::span<const std::vector<Index>> weights, Index nonzeros)
    : communicator_(communicator), order_(bins.size()) {
  for (std::size_t mode = 0; mode < order_; ++mode)
    modes_.push_back(draw(blocks, mode, bins[mode], weights[mode], nonzeros));
}

VolumeSample::Rows VolumeSample::draw(std::span<const SparseTensor> blocks, std::size_t mode, const ModeParts& bins,
                                      std::span<const Index> weights, Index nonzeros) const {
  const Index limit = kept_of_row(communicator_.size());
  double expected = static_cast<double>(nonzeros);  // nonzeros that all rows together would keep
  if (bins.one_index_a_bin())
    expected = static_cast<double>(std::accumulate(weights.begin(), weights.end(), Index{0},
                                                   [&](Index sum, Index w) { return sum + std::min(w, limit); }));
  Rows rows;
  rows.share = std::min(1.0, static_cast<double>(kSampled) * communicator_.size() / std::max(1.0, expected));
  struct Place {
    Index row;
    std::size_t block, entry;
  };
  std::vector<Place> places;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const auto indices = blocks[b].indices(static_cast<int>(mode));
    for (std::size_t k = 0; k < indices.size(); ++k) {
      if (!drawn(hash_of_row(indices[k]), rows.share)) continue;
      const Index weight = bins.one_index_a_bin() ? weights[static_cast<std::size_t>(indices[k])] : 0;
      if (weight > limit && !drawn(mix_bits(mix_bits(b) ^ k), static_cast<double>(limit) / static_cast<double>(weight)))
        continue;
      places.push_back({indices[k], b, k});
    }
  }
  std::stable_sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.row < b.row; });
  std::vector<Index> coordinates;
  for (std::size_t begin = 0, end = 0; begin < places.size(); begin = end) {
    while (end < places.size() && places[end].row == places[begin].row) ++end;
    const std::size_t count = end - begin, kept = std::min(count, static_cast<std::size_t>(limit));
    for (std::size_t k = 0; k < kept; ++k) {
      const Place& place = places[begin + k * count / kept];
      for (std::size_t m = 0; m < order_; ++m)
        coordinates.push_back(blocks[place.block].indices(static_cast<int>(m))[place.entry]);
    }
  }
  rows.coordinates = gathered_by_row(coordinates, mode);
  return rows;
}

/// All nonzeros of a row to one rank, and there side by side.
std::vector<Index> VolumeSample::gathered_by_row(std::span<const Index> coordinates, std::size_t mode) const {
  std::vector<std::vector<Index>> outgoing(static_cast<std::size_t>(communicator_.size()));
  for (std::size_t at = 0; at < coordinates.size(); at += order_) {
    const std::uint64_t hash = mix_bits(hash_of_row(coordinates[at + mode]));
    auto& bucket = outgoing[static_cast<std::size_t>(hash % outgoing.size())];
    const auto nonzero = coordinates.subspan(at, order_);
    bucket.insert(bucket.end(), nonzero.begin(), nonzero.end());
  }
  std::vector<Index> send, counts;
  for (const auto& bucket : outgoing) {
    send.insert(send.end(), bucket.begin(), bucket.end());
    counts.push_back(std::ssize(bucket));
  }
  const std::vector<Index> arrived =
      communicator_.all_to_all(std::span<const Index>(send), std::span<const Index>(counts));
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at < arrived.size(); at += order_) starts.push_back(at);
  std::stable_sort(starts.begin(), starts.end(),
                   [&](std::size_t a, std::size_t b) { return arrived[a + mode] < arrived[b + mode]; });
  std::vector<Index> sorted;
  sorted.reserve(arrived.size());
  for (std::size_t at : starts)
    sorted.insert(sorted.end(), arrived.begin() + static_cast<std::ptrdiff_t>(at),
                  arrived.begin() + static_cast<std::ptrdiff_t>(at + order_));
  return sorted;
}

ExchangeVolume VolumeSample::count(const NonzeroPartition& partition) const {
  const int ranks = std::accumulate(partition.grid.begin(), partition.grid.end(), 1, std::multiplies<>());
  std::vector<double> of_rank(static_cast<std::size_t>(ranks), 0.0);
  constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
  std::vector<int> touching;
  for (std::size_t mode = 0; mode < order_; ++mode) {
    if (partition.grid[mode] == ranks && !partition.spreads(mode)) continue;
    const Rows& rows = modes_[mode];
    std::vector<std::size_t> last_touched(of_rank.size(), kNever);  // by the row that begins there
    for (std::size_t begin = 0, at = 0; begin < rows.coordinates.size(); begin = at) {
      touching.clear();
      for (; at < rows.coordinates.size() && rows.coordinates[at + mode] == rows.coordinates[begin + mode];
           at += order_) {
        const int rank = partition.rank_of([&](std::size_t m) { return rows.coordinates[at + m]; });
        if (std::exchange(last_touched[static_cast<std::size_t>(rank)], begin) != begin) touching.push_back(rank);
      }
      const auto count = static_cast<double>(touching.size());
      for (int rank : touching) of_rank[static_cast<std::size_t>(rank)] += (count - 1) / count / rows.share;
    }
  }
  communicator_.all_reduce(std::span<double>(of_rank), Reduction::sum);
  return {std::accumulate(of_rank.begin(), of_rank.end(), 0.0), *std::max_element(of_rank.begin(), of_rank.end())};
}

}  // namespace tempera
