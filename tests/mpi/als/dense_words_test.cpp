#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "distributed/als/cp_als.hpp"
#include "distributed/tensor/nonzero_partition.hpp"
#include "tests/support/distributed.hpp"

namespace tempera {
namespace {

/// What this rank has sent of factor rows since the start of the process.
RegionTable::Row sent_rows(const Communicator& world) {
  RegionTable::Row sum{};
  for (const auto& row : world.regions().rows())
    if (row.path.ends_with("reduce rows") || row.path.ends_with("share rows")) {
      sum.messages += row.messages;
      sum.bytes += row.bytes;
    }
  return sum;
}

/// Σ_n 2 rank I_n (1/p_n − 1/P), in words.
double least_words(const std::vector<Index>& shape, const std::vector<int>& grid, Index rank) {
  double ranks = 1, words = 0;
  for (const int extent : grid) ranks *= extent;
  for (std::size_t mode = 0; mode < shape.size(); ++mode)
    words += 2.0 * static_cast<double>(rank * shape[mode]) * (1.0 / grid[mode] - 1 / ranks);
  return words;
}

TEST(DenseSweep, MovesNoMoreFactorRowsThanTheBound) {
  const Communicator world(MPI_COMM_WORLD);
  constexpr int kSweeps = 3;
  const Index rank = 5;
  for (const std::vector<Index>& shape : {std::vector<Index>{60, 48, 24}, {61, 47, 90}, {80, 83}, {22, 31, 40, 27}})
    for (const auto& grid : test::grids_to_try(world.size(), shape)) {
      const auto spread = test::distributed(world, test::random_dense(shape, 3), grid);
      CpOptions options;
      options.rank = rank;
      options.iterations = kSweeps;
      options.tolerance = 0;
      const std::int64_t before = sent_rows(world).bytes;
      cp_als(*spread, options);
      if (!spread->active()) continue;
      const Communicator& ranks = spread->grid().active_ranks();
      const double words = static_cast<double>(sent_rows(world).bytes - before) / 8 / kSweeps;
      const double bound = least_words(shape, spread->grid().extents(), rank);
      const double all = ranks.all_reduce_value(words, Reduction::sum);
      EXPECT_NEAR(all / ranks.size(), bound, 1e-9 * bound) << "order " << shape.size();
      const double most = ranks.all_reduce_value(words, Reduction::maximum);
      EXPECT_LE(most, 1.05 * bound) << "order " << shape.size();
    }
}

TEST(DenseSweep, LayersOfOneRankMoveNothing) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{12, 9, 10};
  for (int mode = 0; mode < 3; ++mode) {
    std::vector<int> grid(3, 1);
    grid[static_cast<std::size_t>(mode)] = world.size();
    const auto spread = test::distributed(world, test::random_dense(shape, 3), grid);
    FactorMatrix rows(spread->rows(mode).rows(), 4);
    const auto region = world.regions().open("no rows");
    spread->exchange(mode).reduce_to_owners(rows);
    spread->exchange(mode).share_with_ghosts(rows);
    for (const auto& row : world.regions().rows()) {
      if (row.path.ends_with("no rows")) {
        EXPECT_EQ(row.messages + row.bytes, 0) << "mode " << mode;
      }
    }
  }
}

TEST(DenseGrid, IsTheOneThatMovesTheFewestWordsOfAllFactorisations) {
  const Communicator world(MPI_COMM_WORLD);
  for (const std::vector<Index>& shape :
       {std::vector<Index>{10, 20, 300}, {7, 7, 7}, {1000, 2, 3}, {4, 50, 2, 60}, {2, 2, 1, 900}, {1, 1, 5}}) {
    const ProcessGrid chosen = choose_dense_grid(world, shape);
    double least = std::numeric_limits<double>::infinity();
    std::vector<int> grid(shape.size(), 1);
    const auto next = [&] {  // counts through all grids of up to size() in every mode
      for (int& extent : grid) {
        if (++extent <= world.size()) return true;
        extent = 1;
      }
      return false;
    };
    do {
      Index ranks = 1;
      bool fits = true;
      for (std::size_t mode = 0; mode < shape.size(); ++mode) {
        ranks *= grid[mode];
        fits = fits && grid[mode] <= shape[mode];
      }
      if (fits && ranks == chosen.size()) least = std::min(least, least_words(shape, grid, 1));
      EXPECT_FALSE(fits && ranks > chosen.size() && ranks <= world.size()) << "more ranks could be used";
    } while (next());
    EXPECT_NEAR(least_words(shape, chosen.extents(), 1), least, 1e-9 * (1 + least));
  }
}

}  // namespace
}  // namespace tempera
