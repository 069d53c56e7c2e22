#include "distributed/communicator/process_grid.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

using test::on_all_ranks;

const std::vector<std::vector<int>> kGrids = {{1, 1},    {2, 1},    {3, 1}, {1, 3},      {4, 1, 1},
                                              {1, 2, 2}, {2, 2, 1}, {2, 2}, {2, 3, 1, 2}};

int product(const std::vector<int>& extents) {
  int size = 1;
  for (int extent : extents) size *= extent;
  return size;
}

TEST(ProcessGrid, CoordinatesAreInverseToRanksAndLayersHoldEqualCoordinates) {
  on_all_ranks([](const Communicator& world) {
    for (const std::vector<int>& extents : kGrids) {
      if (product(extents) > world.size()) continue;
      const ProcessGrid grid(world, extents);
      EXPECT_EQ(grid.size(), product(extents));
      EXPECT_EQ(grid.active(), world.rank() < grid.size());
      EXPECT_EQ(grid.all().size(), world.size());
      if (!grid.active()) {
        EXPECT_EQ(grid.active_ranks().size(), 0);
        continue;
      }
      EXPECT_EQ(grid.active_ranks().rank(), world.rank());
      std::vector<int> coordinates;
      for (int mode = 0; mode < grid.order(); ++mode) {
        coordinates.push_back(grid.coordinate(mode));
        const Communicator& layer = grid.layer(mode);
        EXPECT_EQ(layer.size(), grid.size() / extents[static_cast<std::size_t>(mode)]);
        const int rank = world.rank();
        const std::vector<int> members = layer.all_gather(std::span<const int>(&rank, 1));
        EXPECT_TRUE(std::is_sorted(members.begin(), members.end()));
        for (int member : members) EXPECT_EQ(grid.coordinate_of(member, mode), grid.coordinate(mode));
      }
      EXPECT_EQ(grid.rank_at(coordinates), world.rank());
    }
  });
}

TEST(ProcessGrid, ModeZeroRunsFastest) {
  on_all_ranks([](const Communicator& world) {
    if (world.size() < 4) return;
    const ProcessGrid grid(world, {2, 2});
    // ranks   0 1      coordinate along mode 0 →
    //         2 3      coordinate along mode 1 ↓
    EXPECT_EQ(grid.rank_at(std::vector<int>{1, 0}), 1);
    EXPECT_EQ(grid.rank_at(std::vector<int>{0, 1}), 2);
  });
}

TEST(ProcessGrid, GridLargerThanTheRunIsRefusedOnAllRanks) {
  on_all_ranks([](const Communicator& world) {
    const std::string ranks = std::to_string(world.size());
    try {
      const ProcessGrid grid(world, {world.size() + 1, 2});
      FAIL() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), Category::usage);
      EXPECT_EQ(error.message(), "tempera: error: --grid: grid " + std::to_string(world.size() + 1) +
                                     "x2 needs more than the " + ranks + " MPI ranks of this run\nhint: give a grid " +
                                     "whose extents multiply to the number of ranks, or --grid auto");
    }
    EXPECT_THROW(ProcessGrid(world, {1, 0}), Error);
  });
}

}  // namespace
}  // namespace tempera
