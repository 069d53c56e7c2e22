#include "distributed/als/mttkrp_bound.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "distributed/tensor/distributed_tensor.hpp"
#include "distributed/tensor/exchange_model.hpp"
#include "distributed/tensor/nonzero_partition.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

/// Rows that the heaviest rank moves for one MTTKRP on a grid of even blocks.
Index moved_rows(const std::vector<Index>& shape, const std::vector<int>& grid) {
  const auto modes = dense_mode_rows(shape, grid);
  Index most = 0;
  for (std::size_t rank = 0; rank < modes.front().rows.size(); ++rank) {
    Index rows = 0;
    for (const ModeRows& mode : modes) rows += mode.rows[rank].ghosts();
    most = std::max(most, rows);
  }
  return most;
}

// A cube on a cubic grid reaches the bound where no cell should move: N R (I/P)^(1/N) words are what blocks take.
TEST(MttkrpBound, IsReachedByCubesOnCubicGrids) {
  for (const int side : {2, 4, 8}) {
    const std::vector<Index> shape(3, 512);
    const int ranks = side * side * side;
    const double moved = 16.0 * static_cast<double>(moved_rows(shape, {side, side, side}));
    EXPECT_NEAR(moved / mttkrp_bound(shape, 16, ranks), 1, 1e-9) << ranks << " ranks";
  }
}

TEST(MttkrpBound, IsBelowWhatAnyGridMoves) {
  for (const std::vector<Index>& shape : {std::vector<Index>{64, 64, 64}, {1000, 40, 7}, {30, 20, 10, 40}, {300, 200}})
    for (const int ranks : {2, 3, 16, 60, 128})
      for (const Index rank : {1, 8, 200})
        for (const auto& grid : grid_candidates(ranks, shape))
          EXPECT_LE(mttkrp_bound(shape, rank, ranks), static_cast<double>(rank * moved_rows(shape, grid)) + 1e-6)
              << "order " << shape.size() << " on " << ranks << " ranks, rank " << rank;
}

/// Least words over all ordered factorisations, by trying every divisor in turn.
double least_words(int left, std::size_t mode, const std::vector<Index>& shape, std::vector<double>& parts) {
  if (mode + 1 == shape.size()) {
    if (left > shape[mode]) return std::numeric_limits<double>::infinity();
    double rows = static_cast<double>(shape[mode]) / left;
    for (std::size_t m = 0; m < mode; ++m) rows += static_cast<double>(shape[m]) / parts[m];
    return rows;
  }
  double least = std::numeric_limits<double>::infinity();
  for (int extent = 1; extent <= std::min<Index>(left, shape[mode]); ++extent)
    if (left % extent == 0) {
      parts[mode] = extent;
      least = std::min(least, least_words(left / extent, mode + 1, shape, parts));
    }
  return least;
}

TEST(DenseGrid, MovesAtMostFivePercentMoreThanTheBestFactorisationOfAnyNumberUpTo4096) {
  const Communicator world(MPI_COMM_WORLD);
  for (const std::vector<Index>& shape :
       {std::vector<Index>{1000, 1000, 1000}, {5000, 300, 40}, {100, 90, 80, 70}, {100000, 64}}) {
    double all = 0;
    for (const Index size : shape) all += static_cast<double>(size);
    std::vector<double> parts(shape.size());
    for (int ranks = 1 + world.rank(); ranks <= 4096; ranks += world.size()) {
      const double least = least_words(ranks, 0, shape, parts) - all / ranks;
      if (std::isinf(least)) continue;  // no grid of all
      const std::vector<int> grid = dense_grid_for(ranks, shape);
      double words = -all / ranks;
      int product = 1;
      for (std::size_t mode = 0; mode < shape.size(); ++mode) {
        words += static_cast<double>(shape[mode]) / grid[mode];
        product *= grid[mode];
      }
      ASSERT_EQ(product, ranks);
      ASSERT_LE(words, 1.05 * least + 1e-9) << "order " << shape.size() << " on " << ranks << " ranks";
    }
  }
}

}  // namespace
}  // namespace tempera
