#include "distributed/linalg/block_cyclic_matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/base/error.hpp"

namespace tempera {

namespace {

constexpr Index kMostCounted = std::numeric_limits<int>::max();

void check_extents(const CyclicDeal& rows, const CyclicDeal& columns) {
  if (rows.block < 1 || rows.extent < 0 || columns.extent < 0)
    throw Error(Category::shape, "",
                fmt::format("no block-cyclic matrix has {} x {} entries in blocks of {}", rows.extent, columns.extent,
                            rows.block));
  // The first rank has the largest part, so all ranks come to the same verdict.
  const Index largest_rows = rows.count(0);
  const Index largest_columns = columns.count(0);
  const bool counted = std::max({rows.extent, columns.extent, rows.block}) <= kMostCounted &&
                       (largest_columns == 0 || largest_rows <= kMostCounted / largest_columns);
  if (!counted)
    throw Error(
        Category::shape, "",
        fmt::format("a dense {} x {} matrix on {} x {} MPI ranks: ScaLAPACK counts with 32 bits, at most {} rows, "
                    "columns or entries a rank",
                    rows.extent, columns.extent, rows.parts, columns.parts, kMostCounted),
        "use more MPI ranks, or a smaller problem");
}

}  // namespace

Index CyclicDeal::count(int coordinate) const {
  if (coordinate < 0) return 0;
  const Index whole = extent / block;
  const Index mine = whole / parts * block;
  const Index extra = whole % parts;
  return mine + (coordinate < extra ? block : coordinate == extra ? extent % block : 0);
}

BlockCyclicMatrix::BlockCyclicMatrix(const BlacsGrid& grid, Index rows, Index columns, Index block)
    : grid_(grid), row_deal_{rows, block, grid.rows()}, column_deal_{columns, block, grid.columns()} {
  check_extents(row_deal_, column_deal_);
  local_rows_ = row_deal_.count(grid.row());
  local_columns_ = column_deal_.count(grid.column());
  constexpr int kDense = 1;  // descriptor type
  const auto block32 = static_cast<int>(block);
  descriptor_ = {kDense,
                 grid.context(),
                 static_cast<int>(rows),
                 static_cast<int>(columns),
                 block32,
                 block32,
                 0,
                 0,
                 static_cast<int>(std::max(Index{1}, local_rows_))};
  values_ = LargeVector<double>(static_cast<std::size_t>(local_rows_ * local_columns_));
}

template <class T, class Body>
void BlockCyclicMatrix::visit_tiles(const BlockCyclicMatrix& matrix, T* values, Triangle part, const Body& body) {
  const Index block = matrix.block();
  for (Index j = 0; j < matrix.local_columns_; j += block) {
    const Index column = matrix.global_column(j);
    const Index columns = std::min(block, matrix.local_columns_ - j);
    for (Index i = 0; i < matrix.local_rows_; i += block) {
      const Index row = matrix.global_row(i);
      if (part == Triangle::lower && row < column) continue;
      body({values + i + j * matrix.leading(), row, column, std::min(block, matrix.local_rows_ - i), columns,
            matrix.leading()});
    }
  }
}

void BlockCyclicMatrix::for_each_tile(Triangle part, const std::function<void(const MatrixTile<double>&)>& body) {
  visit_tiles(*this, values_.data(), part, body);
}

void BlockCyclicMatrix::for_each_tile(Triangle part,
                                      const std::function<void(const MatrixTile<const double>&)>& body) const {
  visit_tiles(*this, values_.data(), part, body);
}

void BlockCyclicMatrix::fill(double value) {
  std::ranges::fill(values_, value);
}

void BlockCyclicMatrix::fill(const std::function<double(Index, Index)>& entry) {
  for (Index j = 0; j < local_columns_; ++j)
    for (Index i = 0; i < local_rows_; ++i) local(i, j) = entry(global_row(i), global_column(j));
}

void BlockCyclicMatrix::resize(Index rows, Index columns) {
  if (rows == this->rows() && columns == this->columns()) return;
  BlockCyclicMatrix other(grid_, rows, columns, block());
  const Index kept_rows = std::min(local_rows_, other.local_rows_);
  const Index kept_columns = std::min(local_columns_, other.local_columns_);
  for (Index j = 0; j < kept_columns; ++j)
    std::copy_n(values_.data() + j * leading(), kept_rows, other.values_.data() + j * other.leading());
  *this = std::move(other);
}

}  // namespace tempera
