#include "core/tensor/dimension_tree.hpp"

#include <algorithm>
#include <limits>

#include "core/base/contract.hpp"
#include "core/tensor/detail/dense_products.hpp"
#include "core/tensor/mttkrp.hpp"

namespace tempera {

namespace {

constexpr Index kKeptDoubles = Index{1} << 21;  // 16 MB

using detail::product;

Index cells(std::span<const Index> shape, int begin, int end) {
  return product(shape.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
}

struct Split {
  int at = 0;
  double rows = 0;  ///< written and read below the group, of `rank` doubles each
};

/// The cheapest way from a group to its modes: where to split it first. A product is written once and read by both its
/// children; the Khatri–Rao rows of the other child are read too.
Split best_split(std::span<const Index> shape, int begin, int end) {
  Split best{begin, std::numeric_limits<double>::infinity()};
  if (end - begin == 1) return {begin, 0};
  for (int at = begin + 1; at < end; ++at) {
    double rows = 0;
    for (const auto& [first, last] : {std::pair{begin, at}, std::pair{at, end}}) {
      const auto size = static_cast<double>(cells(shape, first, last));
      rows += size;
      if (last - first > 1) rows += 3 * size + best_split(shape, first, last).rows;
    }
    if (rows < best.rows) best = {at, rows};
  }
  return best;
}

/// Rows of the products that lie below a group, its own included.
Index rows_of(std::span<const Index> shape, int begin, int end) {
  if (end - begin == 1) return 0;
  const int at = best_split(shape, begin, end).at;
  return cells(shape, begin, end) + rows_of(shape, begin, at) + rows_of(shape, at, end);
}

/// The same below the root, where only one child's products are kept at a time; 0 where that is more than is allowed.
Index kept_rows(std::span<const Index> shape, Index rank) {
  const int order = static_cast<int>(shape.size());
  if (order < 3) return 0;
  const int at = best_split(shape, 0, order).at;
  const Index rows = std::max(rows_of(shape, 0, at), rows_of(shape, at, order));
  const double doubles = static_cast<double>(rows) * static_cast<double>(rank);
  return doubles <= static_cast<double>(std::max(kKeptDoubles, product(shape))) ? rows : 0;
}

}  // namespace

DimensionTree::DimensionTree(std::span<const Index> shape, Index rank)
    : shape_(shape.begin(), shape.end()), rank_(rank), parents_(shape.size(), -1) {
  const int order = static_cast<int>(shape.size());
  rows_ = kept_rows(shape, rank);
  if (rows_ == 0) {
    keeps_ = order < 3;
    return;
  }
  const int at = best_split(shape, 0, order).at;
  for (const auto& [begin, end] : {std::pair{0, at}, std::pair{at, order}}) {
    Index rows = 0;  // both children's products begin at the same place
    add_nodes(begin, end, -1, rows);
  }
}

void DimensionTree::add_nodes(int begin, int end, int parent, Index& rows) {
  if (end - begin == 1) {
    parents_[static_cast<std::size_t>(begin)] = parent;
    return;
  }
  const int node = static_cast<int>(nodes_.size());
  nodes_.push_back({begin, end, parent, rows, false, {}});
  rows += cells(shape_, begin, end);
  const int at = best_split(shape_, begin, end).at;
  add_nodes(begin, at, node, rows);
  add_nodes(at, end, node, rows);
}

bool DimensionTree::is_fresh(const Node& node, std::span<const std::uint64_t> versions) const {
  if (!node.filled) return false;
  for (int mode = 0; mode < static_cast<int>(shape_.size()); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    if ((mode < node.begin || mode >= node.end) && node.versions[m] != versions[m]) return false;
  }
  return true;
}

/// The product of the modes [begin, end) from that of `parent`.
void DimensionTree::contract(const DenseTensor& block, std::span<const FactorMatrix> factors, int parent, int begin,
                             int end, double* result, Index stride, int threads) {
  const int first = parent < 0 ? 0 : nodes_[static_cast<std::size_t>(parent)].begin;
  const int last = parent < 0 ? static_cast<int>(shape_.size()) : nodes_[static_cast<std::size_t>(parent)].end;
  const bool sums_right = begin == first;
  const int at = sums_right ? end : begin;
  const Index left = cells(shape_, first, at), right = cells(shape_, at, last);
  const auto rows = detail::row_views(
      sums_right ? factors.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(last - at))
                 : factors.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(at - first)));
  if (parent < 0) {
    ++work_.from_cells;
    const detail::CellMatrix matrix{block.values().data(), left, right, left};
    sums_right ? detail::contract_right(matrix, rows, result, stride, threads)
               : detail::contract_left(matrix, rows, result, stride, threads);
  } else {
    ++work_.from_products;
    const detail::PartialMatrix matrix{products_.row(nodes_[static_cast<std::size_t>(parent)].first_row), left, right};
    sums_right ? detail::contract_right(matrix, rows, result, stride, threads)
               : detail::contract_left(matrix, rows, result, stride, threads);
  }
}

/// Brings a node up to date, its parents first.
const DimensionTree::Node& DimensionTree::filled_node(const DenseTensor& block, std::span<const FactorMatrix> factors,
                                                      std::span<const std::uint64_t> versions, int index, int threads) {
  Node& node = nodes_[static_cast<std::size_t>(index)];
  if (is_fresh(node, versions)) return node;
  if (node.parent >= 0)
    filled_node(block, factors, versions, node.parent, threads);
  else
    for (Node& other : nodes_) other.filled = false;  // the other child's products give way
  if (products_.rows() == 0) products_ = FactorMatrix(rows_, rank_);
  contract(block, factors, node.parent, node.begin, node.end, products_.row(node.first_row), products_.stride(),
           threads);
  node.filled = true;
  node.versions.assign(versions.begin(), versions.end());
  return node;
}

void DimensionTree::mttkrp(const DenseTensor& block, std::span<const FactorMatrix> factors,
                           std::span<const std::uint64_t> versions, int mode, FactorMatrix& result, int threads) {
  TEMPERA_EXPECTS(std::equal(shape_.begin(), shape_.end(), block.shape().begin(), block.shape().end()));
  TEMPERA_EXPECTS(factors.size() == shape_.size() && versions.size() == shape_.size());
  const auto m = static_cast<std::size_t>(mode);
  TEMPERA_EXPECTS(result.rows() == shape_[m] && result.columns() == rank_);
  if (!keeps_) {
    ++work_.from_cells;
    return tempera::mttkrp(block, factors, mode, result, threads);
  }
  if (parents_[m] >= 0) filled_node(block, factors, versions, parents_[m], threads);
  contract(block, factors, parents_[m], mode, mode + 1, result.data(), result.stride(), threads);
}

std::int64_t DimensionTree::bytes() const {
  return rows_ * padded_columns(rank_) * 8;
}

std::int64_t DimensionTree::bytes(std::span<const Index> shape, Index rank) {
  return kept_rows(shape, rank) * padded_columns(rank) * 8;
}

}  // namespace tempera
