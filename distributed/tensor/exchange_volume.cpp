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

std::uint64_t hash_of_cell(std::span<const Index> cell) {
  std::uint64_t hash = 0x2545f4914f6cdd1du;
  for (Index index : cell) hash = mix_bits(hash ^ static_cast<std::uint64_t>(index));
  return hash;
}

/// A row's share of the cost of one of the ranks that touch it, in whole units: their sums do not depend on the order.
constexpr double kUnits = 0x1p30;

bool drawn(std::uint64_t hash, double share) {
  return share >= 1 || static_cast<double>(hash) < share * 0x1p64;
}

}  // namespace

VolumeSample::VolumeSample(const Communicator& communicator, std::span<const SparseTensor> blocks,
                           std::span<const ModeParts> bins, std::span<const std::vector<Index>> weights, Index nonzeros,
                           int parts, Index most)
    : communicator_(communicator), parts_(parts), most_(most), order_(bins.size()) {
  for (std::size_t mode = 0; mode < order_; ++mode)
    modes_.push_back(draw(blocks, mode, bins[mode], weights[mode], nonzeros));
}

VolumeSample::Rows VolumeSample::draw(std::span<const SparseTensor> blocks, std::size_t mode, const ModeParts& bins,
                                      std::span<const Index> weights, Index nonzeros) const {
  const Index limit = kept_of_row(parts_);
  double expected = static_cast<double>(nonzeros);  // nonzeros that all rows together would keep
  if (bins.one_index_a_bin())
    expected = static_cast<double>(std::accumulate(weights.begin(), weights.end(), Index{0},
                                                   [&](Index sum, Index w) { return sum + std::min(w, limit); }));
  const double sampled = std::min(static_cast<double>(kSampled) * parts_, static_cast<double>(most_));
  Rows rows;
  rows.share = std::min(1.0, sampled / std::max(1.0, expected));
  std::vector<Index> coordinates, cell(order_);
  for (const SparseTensor& block : blocks) {
    const auto indices = block.indices(static_cast<int>(mode));
    for (std::size_t k = 0; k < indices.size(); ++k) {
      if (!drawn(hash_of_row(indices[k]), rows.share)) continue;
      for (std::size_t m = 0; m < order_; ++m) cell[m] = block.indices(static_cast<int>(m))[k];
      const Index weight = bins.one_index_a_bin() ? weights[static_cast<std::size_t>(indices[k])] : 0;
      if (weight > limit && !drawn(hash_of_cell(cell), static_cast<double>(limit) / static_cast<double>(weight)))
        continue;
      coordinates.insert(coordinates.end(), cell.begin(), cell.end());
    }
  }
  if (communicator_.size() > 1) coordinates = gathered_by_row(fewest_by_row(coordinates, mode), mode);
  rows.coordinates = fewest_by_row(coordinates, mode);
  return rows;
}

/// Sorted by row; of each row the nonzeros of smallest hash, at most as many as are kept of one.
std::vector<Index> VolumeSample::fewest_by_row(std::span<const Index> coordinates, std::size_t mode) const {
  struct Place {
    Index row;
    std::size_t at;
  };
  const auto limit = static_cast<std::size_t>(kept_of_row(parts_));
  std::vector<Place> places;
  places.reserve(coordinates.size() / order_);
  for (std::size_t at = 0; at < coordinates.size(); at += order_) places.push_back({coordinates[at + mode], at});
  std::sort(places.begin(), places.end(),
            [](const Place& a, const Place& b) { return a.row != b.row ? a.row < b.row : a.at < b.at; });
  const auto hash = [&](const Place& place) { return hash_of_cell(coordinates.subspan(place.at, order_)); };
  std::vector<Index> result;
  result.reserve(coordinates.size());
  for (std::size_t begin = 0, end = 0; begin < places.size(); begin = end) {
    while (end < places.size() && places[end].row == places[begin].row) ++end;
    std::size_t kept = end;
    if (end - begin > limit) {
      kept = begin + limit;
      const auto first = places.begin();
      std::nth_element(first + static_cast<std::ptrdiff_t>(begin), first + static_cast<std::ptrdiff_t>(kept),
                       first + static_cast<std::ptrdiff_t>(end),
                       [&](const Place& a, const Place& b) { return hash(a) < hash(b); });
    }
    for (std::size_t k = begin; k < kept; ++k) {
      const auto cell = coordinates.subspan(places[k].at, order_);
      result.insert(result.end(), cell.begin(), cell.end());
    }
  }
  return result;
}

/// All nonzeros of a row to one rank.
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
  return communicator_.all_to_all(std::span<const Index>(send), std::span<const Index>(counts));
}

bool VolumeSample::has_all_rows() const {
  return std::all_of(modes_.begin(), modes_.end(), [](const Rows& rows) { return rows.share >= 1; });
}

ExchangeVolume VolumeSample::count(const NonzeroPartition& partition) const {
  const int ranks = std::accumulate(partition.grid.begin(), partition.grid.end(), 1, std::multiplies<>());
  std::vector<Index> of_rank(static_cast<std::size_t>(ranks), 0);
  std::vector<Index> copies(order_, 0);  // Σ over the rows of a mode of (ranks touching it − 1)
  constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
  Index widest = 1;  // most ranks that touch one row
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
      copies[mode] += std::ssize(touching) - 1;
      widest = std::max<Index>(widest, std::ssize(touching));
      const auto count = static_cast<double>(touching.size());
      const auto cost = static_cast<Index>(kUnits * (count - 1) / count / rows.share);
      for (int rank : touching) of_rank[static_cast<std::size_t>(rank)] += cost;
    }
  }
  of_rank.insert(of_rank.end(), copies.begin(), copies.end());
  communicator_.all_reduce(std::span<Index>(of_rank), Reduction::sum);
  ExchangeVolume volume;
  for (std::size_t mode = 0; mode < order_; ++mode)
    volume.total += static_cast<double>(of_rank[static_cast<std::size_t>(ranks) + mode]) / modes_[mode].share;
  widest = communicator_.all_reduce_value(widest, Reduction::maximum);
  const double shared = static_cast<double>(*std::max_element(of_rank.begin(), of_rank.begin() + ranks)) / kUnits;
  volume.most = std::max(shared, volume.total / ranks + static_cast<double>(widest - 1) / 2);
  return volume;
}

}  // namespace tempera
