#include "distributed/linalg/redistribution.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "distributed/linalg/detail/scalapack.hpp"

namespace tempera {

namespace {

constexpr Index kMostCopied = 100'000'000;  // MAGIC_MAX of PDGEMR2D: from here on it takes an extent for a missing one

/// Calls body(first column, columns) for panels of a matrix.
template <class Body>
void for_each_panel(Index rows, Index columns, const Body& body) {
  const Index width = panel_columns(rows);
  for (Index column = 0; column < columns; column += width) body(column, std::min(width, columns - column));
}

}  // namespace

Index panel_columns(Index rows) {
  return std::max(Index{1}, kPanelBytes / static_cast<Index>(sizeof(double)) / std::max(Index{1}, rows));
}

void copy_part(const BlockCyclicMatrix& source, Corner from, Index rows, Index columns, BlockCyclicMatrix& target,
               Corner to) {
  TEMPERA_EXPECTS(&source != &target && source.grid().all().size() == target.grid().all().size());
  TEMPERA_EXPECTS(from.row + rows <= source.rows() && from.column + columns <= source.columns());
  TEMPERA_EXPECTS(to.row + rows <= target.rows() && to.column + columns <= target.columns());
  if (std::max({source.rows(), source.columns(), target.rows(), target.columns()}) >= kMostCopied)
    throw Error(
        Category::shape, "",
        fmt::format("a matrix of {} x {} entries cannot be redistributed: ScaLAPACK does it below {} rows and columns",
                    std::max(source.rows(), target.rows()), std::max(source.columns(), target.columns()), kMostCopied));
  if (rows == 0 || columns == 0) return;
  source.grid().all().barrier();
  const auto index = [](Index position) { return static_cast<int>(position + 1); };
  // Its buffers take the part of a rank in the panel twice; a panel of all rows is at least as large.
  for_each_panel(rows, columns, [&](Index column, Index width) {
    Cpdgemr2d(static_cast<int>(rows), static_cast<int>(width), source.data(), index(from.row),
              index(from.column + column), source.descriptor(), target.data(), index(to.row), index(to.column + column),
              target.descriptor(), source.grid().context_of_all());
  });
}

BlockCyclicMatrix redistribute(const BlockCyclicMatrix& source, const BlacsGrid& grid, Index block) {
  BlockCyclicMatrix target(grid, source.rows(), source.columns(), block);
  copy_part(source, {}, source.rows(), source.columns(), target, {});
  return target;
}

BlockCyclicMatrix distribute_replicated(const BlacsGrid& grid, const Eigen::MatrixXd& matrix, Index block) {
  BlockCyclicMatrix result(grid, matrix.rows(), matrix.cols(), block);
  for (Index j = 0; j < result.local_columns(); ++j)
    for (Index i = 0; i < result.local_rows(); ++i)
      result.local(i, j) = matrix(result.global_row(i), result.global_column(j));
  return result;
}

Eigen::MatrixXd replicate(const BlockCyclicMatrix& source) {
  Eigen::MatrixXd whole(source.rows(), source.columns());
  const BlacsGrid& grid = source.grid();
  const CyclicDeal& row_deal = source.row_deal();
  const CyclicDeal& column_deal = source.column_deal();
  for_each_panel(source.rows(), source.columns(), [&](Index first, Index width) {
    std::vector<double> mine;
    for (Index j = 0; j < source.local_columns(); ++j) {
      const Index column = source.global_column(j);
      if (column < first || column >= first + width) continue;
      mine.insert(mine.end(), source.data() + j * source.leading(),
                  source.data() + j * source.leading() + source.local_rows());
    }
    const std::vector<double> all = grid.all().all_gather(std::span<const double>(mine));
    std::size_t next = 0;
    for (int q = 0; q < grid.size(); ++q) {
      const int owner_row = q % grid.rows();
      const Index count = row_deal.count(owner_row);
      for (Index column = first; column < first + width; ++column) {
        if (column_deal.owner(column) != q / grid.rows()) continue;
        for (Index i = 0; i < count; ++i) whole(row_deal.global(i, owner_row), column) = all[next++];
      }
    }
  });
  return whole;
}

BlockCyclicMatrix distribute_from_root(const BlacsGrid& grid, const Eigen::MatrixXd& matrix, Index rows, Index columns,
                                       Index block) {
  if (grid.all().is_root() && (matrix.rows() != rows || matrix.cols() != columns))
    throw Error(Category::shape, "",
                fmt::format("a matrix of {} x {} was announced, rank 0 holds {} x {}", rows, columns, matrix.rows(),
                            matrix.cols()));
  BlockCyclicMatrix result(grid, rows, columns, block);
  const BlacsGrid root(grid.all(), {1, 1});
  for_each_panel(rows, columns, [&](Index column, Index width) {
    BlockCyclicMatrix panel(root, rows, width, block);
    if (root.active()) std::copy_n(matrix.data() + column * rows, rows * width, panel.data());
    copy_part(panel, {}, rows, width, result, {0, column});
  });
  return result;
}

Eigen::MatrixXd gather_to_root(const BlockCyclicMatrix& source) {
  const BlacsGrid root(source.grid().all(), {1, 1});
  Eigen::MatrixXd whole;
  if (root.active()) whole.resize(source.rows(), source.columns());
  for_each_panel(source.rows(), source.columns(), [&](Index column, Index width) {
    BlockCyclicMatrix panel(root, source.rows(), width, source.block());
    copy_part(source, {0, column}, source.rows(), width, panel, {});
    if (root.active()) std::copy_n(panel.data(), source.rows() * width, whole.data() + column * source.rows());
  });
  return whole;
}

}  // namespace tempera
