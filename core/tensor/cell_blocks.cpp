#include "core/tensor/cell_blocks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/tensor/nonzero_list.hpp"

namespace tempera {

namespace {

constexpr Index kMostBlocks = 64;
constexpr Index kLeastCells = 512;  // of a block, where there is more than one
constexpr int kKeyBits = 128;

int bits_of(Index size) {
  return size <= 1 ? 0 : std::bit_width(static_cast<std::uint64_t>(size - 1));
}

}  // namespace

CellOrder::CellOrder(std::span<const Index> shape, int mode)
    : shape_(shape.begin(), shape.end()), modes_(shape.size()), shifts_(shape.size(), 0) {
  std::iota(modes_.begin(), modes_.end(), 0);
  std::stable_sort(modes_.begin(), modes_.end(), [&](int a, int b) {
    if ((a == mode) != (b == mode)) return a == mode;
    return shape_[static_cast<std::size_t>(a)] < shape_[static_cast<std::size_t>(b)];
  });
  for (std::size_t level = modes_.size(); level-- > 0;) {
    const auto m = static_cast<std::size_t>(modes_[level]);
    if (shape_[m] > static_cast<Index>(std::numeric_limits<std::uint32_t>::max()))
      throw Error(Category::environment, "", fmt::format("mode {} has {} rows", m, shape_[m]),
                  "a posterior of factors takes at most 2^32 - 1 rows of a mode");
    shifts_[m] = bits_;
    bits_ += bits_of(shape_[m]);
  }
  if (bits_ > kKeyBits)
    throw Error(Category::environment, "",
                fmt::format("coordinates need {} bits, a posterior of factors takes {}", bits_, kKeyBits),
                "leave indices that do not occur out of the long modes");
}

KeyedCell::Key CellOrder::key_of(std::span<const Index> cell) const {
  KeyedCell::Key key = 0;
  for (std::size_t mode = 0; mode < cell.size(); ++mode)
    if (shape_[mode] > 1) key |= static_cast<KeyedCell::Key>(cell[mode]) << shifts_[mode];
  return key;
}

CsfTensor CellOrder::tree_of(std::span<const KeyedCell> cells) const {
  const auto count = static_cast<Index>(cells.size());
  NonzeroList list(shape_, count);
  std::vector<std::uint32_t> indices(cells.size());
  for (std::size_t mode = 0; mode < shape_.size(); ++mode) {
    const auto mask = (KeyedCell::Key{1} << bits_of(shape_[mode])) - 1;
    for (std::size_t k = 0; k < cells.size(); ++k)
      indices[k] = mask == 0 ? 0 : static_cast<std::uint32_t>((cells[k].key >> shifts_[mode]) & mask);
    list.set_mode(static_cast<int>(mode), 0, indices);
  }
  std::vector<double> values(cells.size());
  for (std::size_t k = 0; k < cells.size(); ++k) values[k] = cells[k].value;
  list.set_values(0, values);
  list.sum_duplicates();  // sorts; there are none
  return list.build(modes_);
}

Index CellBlocks::begin_of(Index block) const {
  return cells / blocks * block + cells % blocks * block / blocks;
}

std::size_t CellBlocks::bytes() const {
  std::size_t sum = 0;
  for (const auto& mode : trees)
    for (const CsfTensor& tree : mode) sum += tree.bytes();
  for (const auto& mode : rows)
    for (const auto& block : mode) sum += block.capacity() * sizeof(std::uint32_t);
  return sum;
}

CellBlocks cell_blocks(const SparseTensor& cells, Index blocks) {
  TEMPERA_EXPECTS(blocks >= 1);
  CellBlocks result;
  result.shape = cells.shape();
  result.cells = cells.nonzeros();
  result.blocks = blocks;
  std::vector<Index> cell(result.shape.size());
  std::vector<KeyedCell> keyed(static_cast<std::size_t>(result.cells));
  for (int mode = 0; mode < result.order(); ++mode) {
    const CellOrder order(result.shape, mode);
    for (std::size_t k = 0; k < keyed.size(); ++k) {
      for (std::size_t m = 0; m < cell.size(); ++m) cell[m] = cells.indices(static_cast<int>(m))[k];
      keyed[k] = {order.key_of(cell), cells.values()[k]};
    }
    std::sort(keyed.begin(), keyed.end(), [](const KeyedCell& a, const KeyedCell& b) { return a.key < b.key; });
    auto& trees = result.trees.emplace_back();
    auto& rows = result.rows.emplace_back();
    for (Index block = 0; block < blocks; ++block) {
      const Index begin = result.begin_of(block), end = result.begin_of(block + 1);
      trees.push_back(order.tree_of(
          std::span(keyed).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin))));
      rows.push_back(root_rows(trees.back()));
    }
  }
  return result;
}

Index default_blocks(Index cells) {
  return std::clamp<Index>(cells / kLeastCells, 1, kMostBlocks);
}

std::vector<std::uint32_t> root_rows(const CsfTensor& tree) {
  if (tree.nonzeros() == 0) return {};
  return {tree.ids(0).begin(), tree.ids(0).end()};
}

}  // namespace tempera
