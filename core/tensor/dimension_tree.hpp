#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor/dense_tensor.hpp"
#include "core/tensor/factor_matrix.hpp"

namespace tempera {

/// MTTKRPs of one dense block in a sequence of sweeps that updates the modes in order: a dimension tree.
///
/// The root is the block, an inner node a group of neighbouring modes with the product of the block and the factor rows of
/// all other modes (rows: the cells of the group, the first mode fastest; rank columns), a leaf the MTTKRP of one mode.
/// Only the two nodes below the root are made from the cells, so a sweep reads the block twice instead of N times; the
/// others sum over one part of their parent's group. Each group is split where that makes the least work.
///
/// A node remembers the versions of the factors it was made of and is stale as soon as one of them has moved. It is always
/// made by the same operations, so that the bits do not depend on what was kept: a run that goes on with an empty tree
/// equals the unbroken one. The nodes below one child of the root share their memory with those below the other.
/// Phan, Tichavský & Cichocki 2013; Kaya & Robert 2019; Eswar et al. 2021 (PLANC).
class DimensionTree {
 public:
  /// @param shape  of the block, all sizes > 0
  /// Where every split would keep more than the block itself takes (and more than 16 MB), no product is kept and each
  /// mode is computed from the cells.
  DimensionTree(std::span<const Index> shape, Index rank);

  /// result = MTTKRP of `mode`; see mttkrp in core/tensor/mttkrp.hpp.
  /// @param versions  one a factor; different from that of the last call where the factor has moved since
  /// The bits do not depend on the number of threads.
  void mttkrp(const DenseTensor& block, std::span<const FactorMatrix> factors, std::span<const std::uint64_t> versions,
              int mode, FactorMatrix& result, int threads = 1);

  /// Memory of the products that are kept, the same for every sequence of calls.
  std::int64_t bytes() const;
  static std::int64_t bytes(std::span<const Index> shape, Index rank);

  /// How often a product was made from the cells, and from another product, since the construction.
  struct Work {
    Index from_cells = 0;
    Index from_products = 0;
  };
  const Work& work() const { return work_; }

 private:
  struct Node {
    int begin, end;  ///< modes of the group
    int parent;      ///< −1: the block
    Index first_row = 0;
    bool filled = false;
    std::vector<std::uint64_t> versions;  ///< of all factors; those of the group do not matter
  };

  void add_nodes(int begin, int end, int parent, Index& rows);
  bool is_fresh(const Node& node, std::span<const std::uint64_t> versions) const;
  void contract(const DenseTensor& block, std::span<const FactorMatrix> factors, int parent, int begin, int end,
                double* result, Index stride, int threads);
  const Node& filled_node(const DenseTensor& block, std::span<const FactorMatrix> factors,
                          std::span<const std::uint64_t> versions, int node, int threads);

  std::vector<Index> shape_;
  Index rank_;
  bool keeps_ = true;
  std::vector<Node> nodes_;   ///< groups of at least two modes
  std::vector<int> parents_;  ///< of each mode's leaf: a node, or −1
  Index rows_ = 0;            ///< of the nodes that can be kept together
  FactorMatrix products_;     ///< allocated by the first product that is kept
  Work work_;
};

}  // namespace tempera
