#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/random_stream.hpp"
#include "distributed/tensor/heavy_slices.hpp"
#include "distributed/tensor/nonzero_partition.hpp"
#include "tests/support/distributed.hpp"
#include "tests/support/skewed.hpp"

namespace tempera {
namespace {

/// Coordinates and value of every nonzero, on all ranks, in order.
std::vector<std::vector<double>> gathered_cells(const Communicator& world, const DistributedTensor& tensor) {
  std::vector<double> mine;
  tensor.for_each_cell([&](std::span<const Index> cell, double value) {
    for (Index index : cell) mine.push_back(static_cast<double>(index));
    mine.push_back(value);
  });
  const std::vector<double> all = world.all_gather(std::span<const double>(mine));
  const std::size_t words = tensor.shape().size() + 1;
  std::vector<std::vector<double>> cells;
  for (std::size_t at = 0; at < all.size(); at += words)
    cells.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(at),
                       all.begin() + static_cast<std::ptrdiff_t>(at + words));
  std::sort(cells.begin(), cells.end());
  return cells;
}

std::vector<std::vector<double>> cells_of(const SparseTensor& tensor) {
  std::vector<std::vector<double>> cells;
  for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k) {
    std::vector<double>& cell = cells.emplace_back();
    for (int mode = 0; mode < tensor.order(); ++mode) cell.push_back(static_cast<double>(tensor.indices(mode)[k]));
    cell.push_back(tensor.values()[k]);
  }
  std::sort(cells.begin(), cells.end());
  return cells;
}

TEST(GiantSlices, PowerLawsOfOrders3And4AreBalanced) {
  const Communicator world(MPI_COMM_WORLD);
  for (const std::vector<Index>& shape : {std::vector<Index>{4000, 3000, 500}, {900, 700, 400, 300}})
    for (double exponent : {1.0, 1.5}) {
      const SparseTensor tensor = test::skewed(shape, 120000, exponent, false);
      const auto spread = test::distributed(world, tensor);
      EXPECT_LE(spread->balance(), kGoodBalance) << "order " << shape.size() << " exponent " << exponent;
      EXPECT_EQ(spread->grid().size(), world.size());
    }
}

TEST(GiantSlices, InEveryModeAreSpreadOverTheRanks) {
  const Communicator world(MPI_COMM_WORLD);
  for (const std::vector<Index>& shape :
       {std::vector<Index>{400, 300}, {400, 300, 200}, {90, 80, 70, 60}, {Index{1} << 40, 70000, Index{1} << 33}}) {
    const SparseTensor tensor = test::with_giant_slices(shape, 60000, 0.6);
    const auto spread = test::distributed(world, tensor);
    EXPECT_LE(spread->balance(), kGoodBalance) << "order " << shape.size();
    EXPECT_EQ(gathered_cells(world, *spread), cells_of(tensor)) << "every nonzero is on exactly one rank";
  }
}

// A grid that a person asks for is kept: all its parts lie along one mode with a giant slice.
TEST(GiantSlices, AreSpreadAlongAFixedGrid) {
  const Communicator world(MPI_COMM_WORLD);
  const SparseTensor tensor = test::with_giant_slices({400, 300, 200}, 60000, 0.9);
  const auto spread = test::distributed(world, tensor, {1, world.size(), 1});
  EXPECT_EQ(spread->grid().extents(), (std::vector<int>{1, world.size(), 1}));
  EXPECT_LE(spread->balance(), kGoodBalance);
}

TEST(GiantSlices, FitIsThatOfOneRank) {
  const Communicator world(MPI_COMM_WORLD);
  const SparseTensor tensor = test::with_giant_slices({60, 50, 40}, 8000, 0.5);
  CpOptions options;
  options.rank = 5;
  options.iterations = 12;
  options.tolerance = 0;
  const auto alone = test::distributed(Communicator::self(), tensor);
  const double expected = cp_als(*alone, options).fit;
  for (const auto& grid : test::grids_to_try(world.size(), tensor.shape())) {
    const auto spread = test::distributed(world, tensor, grid);
    EXPECT_NEAR(cp_als(*spread, options).fit, expected, 1e-10);
  }
}

TEST(GiantSlices, EqualCoordinatesStillMeet) {
  const Communicator world(MPI_COMM_WORLD);
  SparseTensor tensor = test::with_giant_slices({40, 30, 20}, 4000, 0.7);
  const Index distinct = tensor.nonzeros();
  std::vector<Index> cell(3);
  for (std::size_t k = 0; k < static_cast<std::size_t>(distinct); ++k) {
    for (std::size_t mode = 0; mode < 3; ++mode) cell[mode] = tensor.indices(static_cast<int>(mode))[k];
    tensor.append(cell, 1.0);
  }
  const auto spread = test::distributed(world, tensor, {world.size(), 1, 1});
  EXPECT_EQ(spread->stored_cells(), distinct);
  EXPECT_EQ(spread->duplicates(), distinct);
}

TEST(HeavySlices, AreThoseThatABruteForceCountFinds) {
  const Communicator world(MPI_COMM_WORLD);
  for (Index size : {Index{50}, Index{70000}, Index{1} << 40}) {
    RandomStream stream(8, "heavy", {});
    SparseTensor tensor({size, 3});
    std::map<Index, Index> counts;
    for (int k = 0; k < 20000; ++k) {
      // Nine slices hold a tenth of the rest each; neighbours of theirs share their contiguous bins.
      const Index heavy = size / 10 * stream.uniform_index(10);
      const Index index = stream.uniform() < 0.5 ? heavy : stream.uniform_index(size);
      tensor.append(std::vector<Index>{index, k % 3}, 1.0);
      ++counts[index];
    }
    const auto blocks = test::dealt(world, tensor);
    for (bool scattered : {false, true})
      for (Index least : {Index{100}, Index{900}, Index{1000}, Index{30000}}) {
        const ModeParts bins = ModeParts::bins_for(size, scattered);
        std::vector<Index> weights(static_cast<std::size_t>(bins.bins()), 0);
        for (const auto& [index, count] : counts) weights[static_cast<std::size_t>(bins.bin_of(index))] += count;
        std::vector<std::pair<Index, Index>> expected, found;
        for (const auto& [index, count] : counts)
          if (count > least) expected.emplace_back(index, count);
        for (const HeavySlice& slice : heavy_slices(world, blocks, 0, bins, weights, least))
          found.emplace_back(slice.index, slice.nonzeros);
        EXPECT_EQ(found, expected) << "size " << size << " scattered " << scattered << " least " << least;
      }
  }
}

}  // namespace
}  // namespace tempera
