#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor/csf_tensor.hpp"
#include "core/tensor/sparse_tensor.hpp"

namespace tempera {

/// Coordinates of a cell in the order of a tree, most significant mode first, and its value.
struct KeyedCell {
  __extension__ typedef unsigned __int128 Key;  // GCC and Clang; not ISO C++
  Key key;
  double value;
};

/// The order of cells in which the trees of one mode are cut: that mode, then the others by increasing size.
class CellOrder {
 public:
  /// @throws Error{environment} if coordinates take more than 128 bits or a mode has more than 2^32 − 1 rows
  CellOrder(std::span<const Index> shape, int mode);

  /// Keys are below 2^bits().
  int bits() const { return bits_; }
  KeyedCell::Key key_of(std::span<const Index> cell) const;
  /// @param cells  in increasing order of their keys, which differ
  CsfTensor tree_of(std::span<const KeyedCell> cells) const;

 private:
  std::vector<Index> shape_;
  std::vector<int> modes_;   ///< root first
  std::vector<int> shifts_;  ///< by mode
  int bits_ = 0;
};

/// Cells of a tensor in a fixed number of blocks, for sums whose bits do not depend on who makes them.
///
/// For every mode the cells stand in its order and are cut into runs whose lengths differ by one at most: block b begins at
/// cell ⌊cells · b / blocks⌋. A row of the mode lies in one block, or in neighbouring ones where a cut hits it. Every block
/// is a tree of its own, rooted at the mode, whose form depends on its cells only.
/// Memory: as CsfPolicy::all for the blocks that are here; 4 bytes for each row of a block in `rows`.
struct CellBlocks {
  std::vector<Index> shape;
  Index cells = 0;  ///< in all blocks
  Index blocks = 1;
  Index first = 0;                            ///< block here
  std::vector<std::vector<CsfTensor>> trees;  ///< [mode][block − first]: those that are here
  std::vector<std::vector<std::vector<std::uint32_t>>>
      rows;  ///< [mode][block]: of all blocks; rows that occur, increasing

  int order() const { return static_cast<int>(shape.size()); }
  /// Blocks here: [first, end()).
  Index end() const { return first + (trees.empty() ? 0 : static_cast<Index>(trees.front().size())); }
  const CsfTensor& tree(int mode, Index block) const {
    return trees[static_cast<std::size_t>(mode)][static_cast<std::size_t>(block - first)];
  }
  /// Cell where a block begins. @pre 0 ≤ block ≤ blocks
  Index begin_of(Index block) const;
  std::size_t bytes() const;
};

/// All blocks on one process. @param cells  distinct @pre blocks ≥ 1
CellBlocks cell_blocks(const SparseTensor& cells, Index blocks);

/// How many blocks cells are cut into unless the caller says so: 64, fewer where blocks would hold less than 512 cells.
Index default_blocks(Index cells);

/// Rows at the root of a tree.
std::vector<std::uint32_t> root_rows(const CsfTensor& tree);

}  // namespace tempera
