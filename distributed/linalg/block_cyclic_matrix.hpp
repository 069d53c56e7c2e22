#pragma once

#include <array>
#include <functional>

#include "core/base/index.hpp"
#include "core/base/large_memory.hpp"
#include "distributed/linalg/blacs_grid.hpp"

namespace tempera {

/// A block of a matrix in place: rows × columns numbers from (row, column) of the whole matrix on, column-major.
template <class T>
struct MatrixTile {
  T* data;
  Index row, column;
  Index rows, columns;
  Index stride;

  T& operator()(Index i, Index j) const { return data[i + j * stride]; }
};

/// How indices of one side of a matrix are dealt: blocks of `block` indices go to the coordinates 0, 1, … `parts` − 1
/// in turn. A pure value.
struct CyclicDeal {
  Index extent;
  Index block;
  int parts;

  /// Indices that a coordinate holds (ScaLAPACK's NUMROC).
  Index count(int coordinate) const;
  int owner(Index global) const { return static_cast<int>(global / block % parts); }
  /// Place among the indices of its owner.
  Index local(Index global) const { return global / block / parts * block + global % block; }
  Index global(Index local, int coordinate) const {
    return (local / block * parts + coordinate) * block + local % block;
  }
};

enum class Triangle { full, lower };

/// Dense rows × columns matrix in ScaLAPACK's two-dimensional block-cyclic layout with square blocks. Each rank of the
/// grid holds the entries whose row block and column block are dealt to its place, column-major; a rank left out holds
/// none. Copies copy the numbers. New entries are undefined until they are filled.
class BlockCyclicMatrix {
 public:
  /// Not collective, but to be made alike on all ranks.
  /// @param block  rows and columns of a block; part of the result's rounding, hence chosen by the problem
  /// @throws Error{shape} on all ranks if an extent, or the part of a rank, has more than 2^31 − 1 entries, which is
  ///   what ScaLAPACK can count, or the block is below 1
  BlockCyclicMatrix(const BlacsGrid& grid, Index rows, Index columns, Index block);

  const BlacsGrid& grid() const { return grid_; }
  Index rows() const { return row_deal_.extent; }
  Index columns() const { return column_deal_.extent; }
  Index block() const { return row_deal_.block; }
  const CyclicDeal& row_deal() const { return row_deal_; }
  const CyclicDeal& column_deal() const { return column_deal_; }

  /// @name The part of this rank
  ///@{
  Index local_rows() const { return local_rows_; }
  Index local_columns() const { return local_columns_; }
  /// Distance between columns, at least 1.
  Index leading() const { return descriptor_[8]; }
  double* data() { return values_.data(); }
  const double* data() const { return values_.data(); }
  double& local(Index i, Index j) { return values_[static_cast<std::size_t>(i + j * leading())]; }
  double local(Index i, Index j) const { return values_[static_cast<std::size_t>(i + j * leading())]; }
  Index global_row(Index local) const { return row_deal_.global(local, grid_.row()); }
  Index global_column(Index local) const { return column_deal_.global(local, grid_.column()); }
  bool holds(Index row, Index column) const {
    return row_deal_.owner(row) == grid_.row() && column_deal_.owner(column) == grid_.column();
  }
  ///@}

  /// ScaLAPACK's descriptor of nine numbers.
  const int* descriptor() const { return descriptor_.data(); }

  /// Calls body for each block of this rank, in order of columns and then rows; with Triangle::lower only for those
  /// that hold an entry on or below the diagonal. The blocks, (row, column) multiples of block(), do not depend on the grid.
  /// Not collective.
  void for_each_tile(Triangle part, const std::function<void(const MatrixTile<double>&)>& body);
  void for_each_tile(Triangle part, const std::function<void(const MatrixTile<const double>&)>& body) const;

  void fill(double value);
  /// Sets every entry of this rank to entry(row, column). For tests and small matrices.
  void fill(const std::function<double(Index, Index)>& entry);

  /// Enlarges or cuts the matrix at its end; entries that stay keep their values, new ones are undefined. The layout of
  /// what stays is the same, so nothing is sent. Not collective, but to be done alike on all ranks.
  void resize(Index rows, Index columns);

 private:
  template <class T, class Body>
  static void visit_tiles(const BlockCyclicMatrix& matrix, T* values, Triangle part, const Body& body);

  BlacsGrid grid_;
  CyclicDeal row_deal_;
  CyclicDeal column_deal_;
  Index local_rows_;
  Index local_columns_;
  std::array<int, 9> descriptor_;
  LargeVector<double> values_;
};

}  // namespace tempera
