#pragma once

#include <memory>

#include "distributed/communicator/communicator.hpp"

namespace tempera {

/// Extents of a two-dimensional grid of MPI ranks.
struct GridShape {
  int rows = 1;
  int columns = 1;
  bool operator==(const GridShape&) const = default;
};

/// The grid for dense algebra on at most `ranks` ranks, a function of their number alone: of all p × q ≤ ranks with
/// p ≤ q ≤ 3p it has the most ranks, and of those the most square ones. 2 → 1×2, 3 → 1×3, 4 → 2×2, 5 → 2×2, 7 → 2×3.
/// @pre ranks ≥ 1
GridShape near_square_grid(int ranks);

/// A p × q grid of MPI ranks on which ScaLAPACK works: a BLACS context over the first p·q ranks of a communicator,
/// column by column (rank = row + p · column). Copies share it; the contexts are freed with the last copy, which has to
/// be gone before MPI is finalised, and goes on all ranks at the same place of the program.
///
/// Ranks beyond p·q are left out: they hold no part of any matrix and take part in nothing but the agreement, in which
/// they are told what everybody has to know (failing pivots, eigenvalues).
class BlacsGrid {
 public:
  /// Collective over `communicator`.
  /// @throws Error{usage} when an extent is below 1 or the grid has more ranks than the communicator
  BlacsGrid(const Communicator& communicator, GridShape shape);
  /// The near-square grid of the communicator.
  explicit BlacsGrid(const Communicator& communicator);

  GridShape shape() const;
  int rows() const { return shape().rows; }
  int columns() const { return shape().columns; }
  int size() const { return rows() * columns(); }
  /// This rank belongs to the grid.
  bool active() const;
  /// Position of this rank; −1 if it is left out.
  int row() const;
  int column() const;

  /// All ranks, those left out included.
  const Communicator& all() const;
  /// BLACS context of the grid, −1 on ranks left out.
  int context() const;
  /// BLACS context of all ranks in one row, for redistributions between grids over the same communicator.
  int context_of_all() const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace tempera
