#include "distributed/tempering/distributed_cells.hpp"

#include <algorithm>

namespace tempera {

namespace {

/// Blocks [begin_on(q), begin_on(q + 1)) go to rank q; those of few blocks to the first ranks.
struct Deal {
  Index blocks;
  int ranks;
  Index begin_on(int rank) const { return first_block_on(rank, ranks, blocks); }
};

bool before(const KeyedCell& a, const KeyedCell& b) {
  return a.key < b.key;
}

/// The cells of this rank in their order.
std::vector<KeyedCell> sorted_cells(const SparseTensor& cells, const CellOrder& order) {
  std::vector<KeyedCell> keyed(static_cast<std::size_t>(cells.nonzeros()));
  std::vector<Index> cell(static_cast<std::size_t>(cells.order()));
  for (std::size_t k = 0; k < keyed.size(); ++k) {
    for (std::size_t m = 0; m < cell.size(); ++m) cell[m] = cells.indices(static_cast<int>(m))[k];
    keyed[k] = {order.key_of(cell), cells.values()[k]};
  }
  std::sort(keyed.begin(), keyed.end(), before);
  return keyed;
}

/// Key of the first cell of every block but the first: the largest below which no more cells lie than come before it.
std::vector<KeyedCell::Key> cut_keys(const Communicator& group, const std::vector<KeyedCell>& cells,
                                     const CellOrder& order, const CellBlocks& blocks) {
  std::vector<KeyedCell::Key> cuts(static_cast<std::size_t>(blocks.blocks - 1), 0);
  std::vector<Index> counts(cuts.size());
  for (int bit = order.bits() - 1; bit >= 0; --bit) {
    const KeyedCell::Key step = KeyedCell::Key{1} << bit;
    for (std::size_t k = 0; k < cuts.size(); ++k)
      counts[k] = std::lower_bound(cells.begin(), cells.end(), KeyedCell{cuts[k] | step, 0}, before) - cells.begin();
    group.all_reduce(std::span<Index>(counts), Reduction::sum);
    for (std::size_t k = 0; k < cuts.size(); ++k)
      if (counts[k] <= blocks.begin_of(static_cast<Index>(k) + 1)) cuts[k] |= step;
  }
  return cuts;
}

/// To each rank the cells of its blocks, in their order. @param cells  in their order, consumed
std::vector<KeyedCell> dealt_cells(const Communicator& group, std::vector<KeyedCell> cells,
                                   const std::vector<KeyedCell::Key>& cuts, const Deal& deal) {
  if (group.size() == 1) return cells;
  std::vector<Index> counts;
  Index sent = 0;
  const auto before_block = [&](Index block) {  // cells of this rank before it
    if (block == 0) return Index{0};
    const KeyedCell cut{cuts[static_cast<std::size_t>(block) - 1], 0};
    return static_cast<Index>(std::lower_bound(cells.begin(), cells.end(), cut, before) - cells.begin());
  };
  for (int q = 0; q < group.size(); ++q) {
    const Index end = deal.begin_on(q + 1);
    const Index upto = end == deal.blocks ? std::ssize(cells) : before_block(end);
    counts.push_back(upto - sent);
    sent = upto;
  }
  std::vector<KeyedCell> mine = group.all_to_all(std::span<const KeyedCell>(cells), std::span<const Index>(counts));
  std::vector<KeyedCell>().swap(cells);
  std::sort(mine.begin(), mine.end(), before);
  return mine;
}

/// Those of all blocks from those of this rank's.
std::vector<std::vector<std::uint32_t>> all_rows(const Communicator& group, const std::vector<CsfTensor>& trees) {
  std::vector<Index> lengths;
  std::vector<std::uint32_t> rows;
  for (const CsfTensor& tree : trees) {
    const auto own = root_rows(tree);
    lengths.push_back(std::ssize(own));
    rows.insert(rows.end(), own.begin(), own.end());
  }
  lengths = group.all_gather(std::span<const Index>(lengths));
  rows = group.all_gather(std::span<const std::uint32_t>(rows));
  std::vector<std::vector<std::uint32_t>> result;
  auto at = rows.cbegin();
  for (const Index length : lengths) {
    result.emplace_back(at, at + length);
    at += length;
  }
  return result;
}

}  // namespace

Index first_block_on(int rank, int ranks, Index blocks) {
  return (blocks * rank + ranks - 1) / ranks;
}

CellBlocks distribute_cells(const Communicator& group, SparseTensor cells, Index blocks) {
  CellBlocks result;
  result.shape = cells.shape();
  result.cells = group.all_reduce_value(cells.nonzeros(), Reduction::sum);
  result.blocks = blocks;
  const Deal deal{blocks, group.size()};
  result.first = deal.begin_on(group.rank());
  const Index end = deal.begin_on(group.rank() + 1);
  for (int mode = 0; mode < result.order(); ++mode) {
    const CellOrder order(result.shape, mode);
    std::vector<KeyedCell> own = sorted_cells(cells, order);
    if (mode + 1 == result.order()) cells = SparseTensor(result.shape);
    const auto cuts = cut_keys(group, own, order, result);
    own = dealt_cells(group, std::move(own), cuts, deal);
    auto& trees = result.trees.emplace_back();
    const Index first_cell = result.begin_of(result.first);
    for (Index block = result.first; block < end; ++block)
      trees.push_back(order.tree_of(
          std::span(own).subspan(static_cast<std::size_t>(result.begin_of(block) - first_cell),
                                 static_cast<std::size_t>(result.begin_of(block + 1) - result.begin_of(block)))));
    result.rows.push_back(all_rows(group, trees));
  }
  return result;
}

}  // namespace tempera
