#include "distributed/linalg/redistribution.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "tests/mpi/linalg/layouts.hpp"

namespace tempera::test {
namespace {

double address(Index row, Index column) {
  return static_cast<double>(1000 * row + column);
}

TEST(CyclicDeal, LocalAndGlobalPlacesAreInverseAndEveryIndexHasOneOwner) {
  for (const Index extent : {0, 1, 5, 16, 17, 100})
    for (const Index block : {1, 3, 16, 64})
      for (const int parts : {1, 2, 3, 5}) {
        const CyclicDeal deal{extent, block, parts};
        Index held = 0;
        for (int part = 0; part < parts; ++part) {
          held += deal.count(part);
          for (Index i = 0; i < deal.count(part); ++i) {
            const Index global = deal.global(i, part);
            ASSERT_LT(global, extent);
            EXPECT_EQ(deal.owner(global), part);
            EXPECT_EQ(deal.local(global), i);
          }
        }
        EXPECT_EQ(held, extent) << block << " over " << parts;
        EXPECT_EQ(deal.count(-1), 0);
      }
}

TEST(BlockCyclicMatrix, TilesCoverEveryEntryOnceAndDoNotDependOnTheGrid) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index n, Index block) {
      for (const Triangle part : {Triangle::full, Triangle::lower}) {
        BlockCyclicMatrix matrix(grid, n + 3, n, block);
        matrix.fill(-1.0);
        Index mine = 0;
        matrix.for_each_tile(part, [&](const MatrixTile<double>& tile) {
          EXPECT_EQ(tile.row % block + tile.column % block, 0);
          EXPECT_EQ(tile.rows, std::min(block, n + 3 - tile.row));
          EXPECT_EQ(tile.columns, std::min(block, n - tile.column));
          ++mine;
          for (Index j = 0; j < tile.columns; ++j)
            for (Index i = 0; i < tile.rows; ++i) tile(i, j) = address(tile.row + i, tile.column + j);
        });
        const Index down = (n + 3 + block - 1) / block;
        const Index across = (n + block - 1) / block;
        const Index tiles = part == Triangle::full ? down * across : across * down - across * (across - 1) / 2;
        EXPECT_EQ(world.all_reduce_value(mine, Reduction::sum), tiles);
        const Eigen::MatrixXd whole = replicate(matrix);
        for (Index j = 0; j < n; ++j)
          for (Index i = 0; i < n + 3; ++i)
            if (part == Triangle::full || i >= j) {
              ASSERT_EQ(whole(i, j), address(i, j));
            }
      }
    });
  });
}

TEST(BlockCyclicMatrix, MoreThanThirtyTwoBitsAreRefusedOnAllRanks) {
  on_all_ranks([](const Communicator& world) {
    const BlacsGrid grid(world, {1, 1});
    const auto refused = [&](Index rows, Index columns, Index block) {
      try {
        const BlockCyclicMatrix matrix(grid, rows, columns, block);
        return std::string();
      } catch (const Error& error) {
        EXPECT_EQ(error.category(), Category::shape);
        return error.what_is_wrong();
      }
    };
    EXPECT_EQ(
        refused(50000, 50000, 64),
        "a dense 50000 x 50000 matrix on 1 x 1 MPI ranks: ScaLAPACK counts with 32 bits, at most 2147483647 rows, "
        "columns or entries a rank");
    EXPECT_NE(refused(Index{1} << 31, 0, 64), "");
    EXPECT_EQ(refused(3, 4, 0), "no block-cyclic matrix has 3 x 4 entries in blocks of 0");
    EXPECT_NE(refused(-1, 4, 16), "");
  });
}

TEST(BlockCyclicMatrix, ResizedMatricesKeepWhatStays) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index n, Index block) {
      const Eigen::MatrixXd before = random_matrix(n, n + 2);
      BlockCyclicMatrix matrix = distribute_replicated(grid, before, block);
      matrix.resize(n + 21, n + 40);
      EXPECT_EQ(replicate(matrix).topLeftCorner(n, n + 2), before);
      matrix.resize(n / 2, n);
      EXPECT_EQ(replicate(matrix), before.topLeftCorner(n / 2, n));
    });
  });
}

TEST(Redistribution, BetweenAllGridsAndBlocksWithoutChangingABit) {
  on_all_ranks([](const Communicator& world) {
    std::vector<BlacsGrid> grids;
    for (const GridShape shape : grids_of(world.size())) grids.emplace_back(world, shape);
    const Eigen::MatrixXd whole = random_matrix(43, 61);
    for (const BlacsGrid& from : grids)
      for (const BlacsGrid& to : grids)
        for (const auto& [old_block, new_block] : std::map<Index, Index>{{1, 16}, {16, 7}, {64, 5}, {5, 64}}) {
          const BlockCyclicMatrix moved = redistribute(distribute_replicated(from, whole, old_block), to, new_block);
          EXPECT_EQ(moved.block(), new_block);
          EXPECT_EQ(replicate(moved), whole);
        }
  });
}

TEST(Redistribution, PartsGoToAnyCornerAndTheRestStays) {
  on_all_ranks([](const Communicator& world) {
    for (const GridShape shape : grids_of(world.size())) {
      const BlacsGrid grid(world, shape);
      const Eigen::MatrixXd source = random_matrix(30, 50, 1);
      Eigen::MatrixXd expected = random_matrix(40, 45, 2);
      BlockCyclicMatrix target = distribute_replicated(grid, expected, 8);
      copy_part(distribute_replicated(grid, source, 7), {3, 11}, 20, 33, target, {17, 1});
      expected.block(17, 1, 20, 33) = source.block(3, 11, 20, 33);
      EXPECT_EQ(replicate(target), expected);
    }
  });
}

TEST(Redistribution, ToAndFromRankZero) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index n, Index block) {
      const Eigen::MatrixXd whole = random_matrix(n, n + 5);
      const Eigen::MatrixXd held = world.is_root() ? whole : Eigen::MatrixXd();
      const BlockCyclicMatrix matrix = distribute_from_root(grid, held, n, n + 5, block);
      EXPECT_EQ(replicate(matrix), whole);
      EXPECT_EQ(gather_to_root(matrix), held);
    });
    const BlacsGrid grid(world);
    EXPECT_THROW(collectively(world, [&] { distribute_from_root(grid, random_matrix(3, 4), 3, 5, 16); }), Error);
  });
}

TEST(Redistribution, ToAndFromRowsOfTheRanks) {
  on_all_ranks([](const Communicator& world) {
    const int ranks = world.size();
    for_each_layout(world, [&](const BlacsGrid& grid, Index n, Index block) {
      const Index columns = 7;
      const Eigen::MatrixXd whole = random_matrix(n, columns);
      // Equal parts, all rows on the last rank, and parts that shrink.
      for (const int kind : {0, 1, 2}) {
        std::vector<Index> offsets(static_cast<std::size_t>(ranks) + 1);
        for (int q = 0; q <= ranks; ++q)
          offsets[static_cast<std::size_t>(q)] = kind == 0    ? n * q / ranks
                                                 : kind == 1  ? (q == ranks ? n : 0)
                                                 : q == ranks ? n
                                                              : n - n / (1 << q);
        std::vector<double> mine;
        const auto rank = static_cast<std::size_t>(world.rank());
        for (Index i = offsets[rank]; i < offsets[rank + 1]; ++i)
          for (Index j = 0; j < columns; ++j) mine.push_back(whole(i, j));
        const BlockCyclicMatrix matrix = distribute_rows(grid, offsets, mine, columns, block);
        EXPECT_EQ(replicate(matrix), whole);
        EXPECT_EQ(gather_rows(matrix, offsets), mine);
      }
    });
    const BlacsGrid grid(world);
    const std::vector<Index> too_few(static_cast<std::size_t>(ranks) + 1, 0);
    EXPECT_THROW(collectively(world, [&] { gather_rows(BlockCyclicMatrix(grid, 4, 4, 2), too_few); }), Error);
  });
}

TEST(Redistribution, AFailingTileFreesTheOtherRanks) {
  on_all_ranks([](const Communicator& world) {
    const BlacsGrid grid(world);
    const auto fails = [&] {
      BlockCyclicMatrix matrix(grid, 40, 40, 8);
      matrix.for_each_tile(Triangle::full, [&](const MatrixTile<double>& tile) {
        if (tile.row == 0 && tile.column == 0) throw Error(Category::numerical, "tile", "this one fails");
      });
      redistribute(matrix, grid, 16);
    };
    try {
      collectively(world, fails);
      ADD_FAILURE() << "nobody failed";
    } catch (const Error& error) {
      EXPECT_EQ(error.what_is_wrong(), "this one fails");
    }
    EXPECT_EQ(replicate(distribute_replicated(grid, random_matrix(9, 9), 4)), random_matrix(9, 9));
  });
}

}  // namespace
}  // namespace tempera::test
