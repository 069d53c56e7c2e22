#pragma once

#include <Eigen/Core>
#include <span>
#include <vector>

#include "distributed/linalg/block_cyclic_matrix.hpp"

// Between a block-cyclic matrix and other ways to hold it. Everything is collective over grid().all() of the matrix,
// moves numbers without changing a bit, and needs beside source and target no more than a panel of kPanelBytes a rank.

namespace tempera {

constexpr Index kPanelBytes = Index{32} << 20;
/// Columns of a panel of `rows` rows that takes at most kPanelBytes.
Index panel_columns(Index rows);

/// The part of a matrix that begins at (row, column).
struct Corner {
  Index row = 0;
  Index column = 0;
};

/// target(to + (i, j)) = source(from + (i, j)) for i < rows, j < columns; grids and blocks may differ, the communicator
/// of the grids has the same ranks. Other entries of the target stay.
/// @pre both parts lie inside; source and target are different matrices
/// @throws Error{shape} for more than 10^8 − 1 rows or columns, where ScaLAPACK's PDGEMR2D stops the program
void copy_part(const BlockCyclicMatrix& source, Corner from, Index rows, Index columns, BlockCyclicMatrix& target,
               Corner to);

/// The whole matrix on another grid of the same ranks, or in blocks of another size.
BlockCyclicMatrix redistribute(const BlockCyclicMatrix& source, const BlacsGrid& grid, Index block);

/// From a matrix that every rank holds. Sends nothing.
BlockCyclicMatrix distribute_replicated(const BlacsGrid& grid, const Eigen::MatrixXd& matrix, Index block);
/// The whole matrix on every rank, those left out included.
Eigen::MatrixXd replicate(const BlockCyclicMatrix& source);

/// From a matrix that rank 0 holds; elsewhere the argument is not read.
BlockCyclicMatrix distribute_from_root(const BlacsGrid& grid, const Eigen::MatrixXd& matrix, Index rows, Index columns,
                                       Index block);
/// The whole matrix on rank 0, empty elsewhere.
Eigen::MatrixXd gather_to_root(const BlockCyclicMatrix& source);

/// From rows that are dealt in blocks over the ranks: rank q holds the rows [offsets[q], offsets[q + 1]), row-major.
/// @param offsets  one more than there are ranks, from 0 to the number of rows; the same on all ranks
/// @param mine     the rows of this rank, each of `columns` numbers
/// @throws Error{shape} on a rank whose part has another length
BlockCyclicMatrix distribute_rows(const BlacsGrid& grid, std::span<const Index> offsets, std::span<const double> mine,
                                  Index columns, Index block);
/// Inverse: the rows of this rank.
std::vector<double> gather_rows(const BlockCyclicMatrix& source, std::span<const Index> offsets);

}  // namespace tempera
