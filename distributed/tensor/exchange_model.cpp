#include "distributed/tensor/exchange_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include "core/base/error.hpp"
#include "core/tensor/factor_matrix.hpp"
#include "distributed/tensor/row_owners.hpp"

namespace tempera {

namespace {

/// Positions of 0 … keys.size() − 1 by increasing key, equal keys in their order; starts has one entry more than there are
/// keys. Keys are below `count`.
template <class Number>
std::vector<std::uint32_t> sorted_by(std::span<const Number> keys, std::size_t count,
                                     std::vector<std::size_t>& starts) {
  starts.assign(count + 1, 0);
  for (const Number key : keys) ++starts[static_cast<std::size_t>(key) + 1];
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  std::vector<std::size_t> next(starts.begin(), starts.end() - 1);
  std::vector<std::uint32_t> order(keys.size());
  for (std::size_t k = 0; k < keys.size(); ++k)
    order[next[static_cast<std::size_t>(keys[k])]++] = static_cast<std::uint32_t>(k);
  return order;
}

/// A row that one rank touches and another owns.
struct Ghosts {
  std::vector<std::int32_t> rank, owner;
};

/// Distinct pairs of ranks that exchange rows.
void count_peers(const Ghosts& ghosts, std::vector<RankRows>& rows) {
  std::vector<std::size_t> starts;
  const auto order = sorted_by(std::span<const std::int32_t>(ghosts.rank), rows.size(), starts);
  std::vector<std::int32_t> seen_by(rows.size(), -1);
  for (std::size_t rank = 0; rank < rows.size(); ++rank)
    for (std::size_t k = starts[rank]; k < starts[rank + 1]; ++k) {
      const auto owner = static_cast<std::size_t>(ghosts.owner[order[k]]);
      if (std::exchange(seen_by[owner], static_cast<std::int32_t>(rank)) == static_cast<std::int32_t>(rank)) continue;
      ++rows[rank].owners;
      ++rows[owner].holders;
    }
}

}  // namespace

NonzeroRows::NonzeroRows(std::span<const Index> shape, std::span<const SparseTensor> blocks) {
  for (const SparseTensor& block : blocks) nonzeros_ += static_cast<std::size_t>(block.nonzeros());
  if (nonzeros_ > std::numeric_limits<std::uint32_t>::max())
    throw Error(Category::environment, "", fmt::format("{} nonzeros are too many to be planned for", nonzeros_),
                "plan with a part of the tensor");
  for (std::size_t m = 0; m < shape.size(); ++m) {
    std::vector<Index> keys;
    keys.reserve(nonzeros_);
    for (const SparseTensor& block : blocks) {
      const auto indices = block.indices(static_cast<int>(m));
      keys.insert(keys.end(), indices.begin(), indices.end());
    }
    Mode& mode = modes_.emplace_back();
    mode.size = shape[m];
    if (static_cast<std::size_t>(shape[m]) <= 4 * nonzeros_) {
      std::vector<std::size_t> starts;
      mode.nonzeros = sorted_by(std::span<const Index>(keys), static_cast<std::size_t>(shape[m]), starts);
    } else {
      mode.nonzeros.resize(nonzeros_);
      std::iota(mode.nonzeros.begin(), mode.nonzeros.end(), 0u);
      std::stable_sort(mode.nonzeros.begin(), mode.nonzeros.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return keys[a] < keys[b]; });
    }
    for (std::size_t k = 0; k < nonzeros_; ++k) {
      const Index row = keys[mode.nonzeros[k]];
      if (!mode.rows.empty() && mode.rows.back() == row) continue;
      mode.rows.push_back(row);
      mode.starts.push_back(k);
    }
    mode.starts.push_back(nonzeros_);
  }
}

std::vector<std::int32_t> NonzeroRows::ranks_of(const NonzeroPartition& partition,
                                                std::span<const SparseTensor> blocks) const {
  std::vector<std::int32_t> ranks;
  ranks.reserve(nonzeros_);
  for (const SparseTensor& block : blocks) {
    std::vector<const Index*> columns;
    for (int mode = 0; mode < block.order(); ++mode) columns.push_back(block.indices(mode).data());
    for (std::size_t k = 0; k < static_cast<std::size_t>(block.nonzeros()); ++k)
      ranks.push_back(partition.rank_of([&](std::size_t mode) { return columns[mode][k]; }));
  }
  return ranks;
}

ModeRows NonzeroRows::exchange(int mode, const NonzeroPartition& partition,
                               std::span<const std::int32_t> rank_of) const {
  const auto m = static_cast<std::size_t>(mode);
  const int ranks = grid_ranks(partition.grid);
  if (partition.spreads(m)) return exchange_among_all(mode, ranks, rank_of);
  const ModeParts& parts = partition.modes[m];
  return exchange(
      mode, ranks, ranks / partition.grid[m], [&](Index row) { return parts.part_of(row); }, rank_of);
}

ModeRows NonzeroRows::exchange_among_all(int mode, int ranks, std::span<const std::int32_t> rank_of) const {
  return exchange(
      mode, ranks, ranks, [](Index) { return 0; }, rank_of);
}

ModeRows NonzeroRows::exchange(int mode, int ranks, int layer_size, const std::function<int(Index row)>& layer_of,
                               std::span<const std::int32_t> rank_of) const {
  const Mode& all = modes_[static_cast<std::size_t>(mode)];
  ModeRows result;
  result.rows.resize(static_cast<std::size_t>(ranks));
  for (RankRows& rows : result.rows) rows.together = layer_size;
  // Each directory of each layer decides for itself, its rows in increasing order.
  std::vector<std::int32_t> directories;
  directories.reserve(all.rows.size());
  for (const Index row : all.rows) directories.push_back(layer_of(row) * layer_size + directory_of(row, layer_size));
  std::vector<std::size_t> starts;
  const auto order = sorted_by(std::span<const std::int32_t>(directories), static_cast<std::size_t>(ranks), starts);
  std::vector<Index> owned(result.rows.size(), 0);
  std::vector<Index> last_touched(result.rows.size(), -1);
  std::vector<RowTouch> touches;
  Ghosts ghosts;
  for (std::size_t directory = 0; directory + 1 < starts.size(); ++directory) {
    touches.clear();
    for (std::size_t k = starts[directory]; k < starts[directory + 1]; ++k) {
      const std::size_t row = order[k], first = touches.size();
      for (std::size_t at = all.starts[row]; at < all.starts[row + 1]; ++at) {
        const std::int32_t rank = rank_of[all.nonzeros[at]];
        if (std::exchange(last_touched[static_cast<std::size_t>(rank)], static_cast<Index>(row)) !=
            static_cast<Index>(row))
          touches.push_back({all.rows[row], rank});
      }
      std::sort(touches.begin() + static_cast<std::ptrdiff_t>(first), touches.end(),
                [](const RowTouch& a, const RowTouch& b) { return a.rank < b.rank; });
    }
    const std::vector<int> owners = choose_owners(touches, owned);
    for (std::size_t k = 0; k < touches.size(); ++k) {
      RankRows& rows = result.rows[static_cast<std::size_t>(touches[k].rank)];
      ++rows.touched;
      if (owners[k] == touches[k].rank) {
        ++rows.owned;
        continue;
      }
      ++result.rows[static_cast<std::size_t>(owners[k])].copies;
      ghosts.rank.push_back(touches[k].rank);
      ghosts.owner.push_back(owners[k]);
    }
  }
  count_peers(ghosts, result.rows);
  for (int rank = 0; rank < ranks; ++rank) {
    const EvenPart part = even_part(all.size, ranks, rank);
    const auto from = std::lower_bound(all.rows.begin(), all.rows.end(), part.first);
    const auto to = std::lower_bound(from, all.rows.end(), part.first + part.count);
    result.rows[static_cast<std::size_t>(rank)].unseen = part.count - (to - from);
  }
  return result;
}

void NonzeroRows::for_each_row(
    int mode, const std::function<void(Index row, std::span<const std::uint32_t> nonzeros)>& visit) const {
  const Mode& all = modes_[static_cast<std::size_t>(mode)];
  for (std::size_t k = 0; k < all.rows.size(); ++k)
    visit(all.rows[k], std::span(all.nonzeros).subspan(all.starts[k], all.starts[k + 1] - all.starts[k]));
}

Index buffer_rows(const RankRows& rows, bool dense, Index columns) {
  if (rows.together == 1) return 0;
  if (dense) return rows.touched + rows.owned;
  return rows.copies + (padded_columns(columns) == columns ? 0 : rows.ghosts());
}

EvenPart even_part(Index size, Index parts, Index part) {
  return {size / parts * part + std::min(part, size % parts), size / parts + (part < size % parts ? 1 : 0)};
}

std::vector<ModeRows> dense_mode_rows(std::span<const Index> shape, const std::vector<int>& grid) {
  const int ranks = grid_ranks(grid);
  std::vector<ModeRows> modes;
  int stride = 1;
  for (std::size_t m = 0; m < shape.size(); ++m) {
    const int together = ranks / grid[m];
    ModeRows& mode = modes.emplace_back();
    mode.dense = true;
    for (int rank = 0; rank < ranks; ++rank) {
      const int place = rank % stride + stride * (rank / (stride * grid[m]));
      const Index block = even_part(shape[m], grid[m], rank / stride % grid[m]).count;
      const Index owned = block * (place + 1) / together - block * place / together;
      // Pieces of no row are not sent.
      const auto pieces = static_cast<std::int32_t>(std::min<Index>(block, together));
      mode.rows.push_back({block, owned, owned * (together - 1), pieces - (owned > 0 ? 1 : 0),
                           owned > 0 ? together - 1 : 0, together, 0});
    }
    stride *= grid[m];
  }
  return modes;
}

}  // namespace tempera
