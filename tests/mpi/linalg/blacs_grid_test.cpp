#include "distributed/linalg/blacs_grid.hpp"

#include <gtest/gtest.h>

#include "tests/support/mpi.hpp"

namespace tempera::test {
namespace {

TEST(BlacsGrid, NearSquareGridUsesMostRanksAndIsAFunctionOfTheirNumber) {
  const std::vector<std::pair<int, GridShape>> expected = {
      {1, {1, 1}}, {2, {1, 2}},  {3, {1, 3}},  {4, {2, 2}},  {5, {2, 2}},  {6, {2, 3}},   {7, {2, 3}},
      {8, {2, 4}}, {12, {3, 4}}, {13, {3, 4}}, {16, {4, 4}}, {64, {8, 8}}, {128, {8, 16}}};
  for (const auto& [ranks, shape] : expected) EXPECT_EQ(near_square_grid(ranks), shape) << ranks;
  for (int ranks = 1; ranks < 300; ++ranks) {
    const GridShape shape = near_square_grid(ranks);
    EXPECT_LE(shape.rows * shape.columns, ranks);
    EXPECT_LE(shape.rows, shape.columns);
    EXPECT_LE(shape.columns, 3 * shape.rows);
    EXPECT_GE(shape.rows * shape.columns, ranks - ranks / 5 - (ranks == 5 ? 1 : 0)) << ranks;
  }
}

TEST(BlacsGrid, RanksStandColumnByColumnAndTheRestIsLeftOut) {
  on_all_ranks([](const Communicator& world) {
    for (const GridShape shape : {GridShape{1, 1}, {1, 2}, {2, 1}, {3, 1}, {2, 2}}) {
      if (shape.rows * shape.columns > world.size()) continue;
      const BlacsGrid grid(world, shape);
      EXPECT_EQ(grid.active(), world.rank() < grid.size());
      EXPECT_EQ(grid.context() >= 0, grid.active());
      EXPECT_GE(grid.context_of_all(), 0);
      EXPECT_EQ(grid.row(), grid.active() ? world.rank() % shape.rows : -1);
      EXPECT_EQ(grid.column(), grid.active() ? world.rank() / shape.rows : -1);
    }
  });
}

TEST(BlacsGrid, TooFewRanksAreRefusedOnAllOfThem) {
  on_all_ranks([](const Communicator& world) {
    for (const GridShape shape : {GridShape{world.size() + 1, 1}, {0, 1}, {1, -1}, {1 << 20, 1 << 20}}) {
      try {
        const BlacsGrid grid(world, shape);
        ADD_FAILURE() << "a grid of " << shape.rows << " x " << shape.columns << " was made";
      } catch (const Error& error) {
        EXPECT_EQ(error.category(), Category::usage);
        EXPECT_NE(error.what_is_wrong().find("cannot be made of " + std::to_string(world.size())), std::string::npos);
      }
    }
  });
}

TEST(BlacsGrid, ManyGridsOneAfterAnotherAndOfGroups) {
  on_all_ranks([](const Communicator& world) {
    for (int repeat = 0; repeat < 100; ++repeat) {
      const Communicator half = world.split(world.rank() % 2, world.rank());
      const BlacsGrid grid(half);
      const BlacsGrid copy = grid;
      EXPECT_EQ(copy.context(), grid.context());
      EXPECT_EQ(grid.all().size(), half.size());
    }
  });
}

}  // namespace
}  // namespace tempera::test
