#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/base/random_stream.hpp"
#include "distributed/tensor/distributed_tensor.hpp"
#include "distributed/tensor/nonzero_partition.hpp"
#include "tests/support/distributed.hpp"
#include "tests/support/skewed.hpp"

namespace tempera {
namespace {

TEST(ModeParts, CutsReachTheSmallestBottleneckFoundByBruteForce) {
  RandomStream stream(3, "cuts", {});
  for (int trial = 0; trial < 50; ++trial) {
    ModeParts parts = ModeParts::bins_for(8, false);
    std::vector<Index> weights;
    for (int bin = 0; bin < 8; ++bin) weights.push_back(static_cast<Index>(stream.uniform_index(20)));
    parts.cut(weights, 3);
    std::vector<Index> load(3, 0);
    int previous = 0;
    for (Index bin = 0; bin < 8; ++bin) {
      ASSERT_GE(parts.part_of(bin), previous);
      previous = parts.part_of(bin);
      load[static_cast<std::size_t>(previous)] += weights[static_cast<std::size_t>(bin)];
    }
    Index best = 1 << 30;
    for (int a = 0; a <= 8; ++a)
      for (int b = a; b <= 8; ++b) {
        Index sums[3] = {0, 0, 0};
        for (int bin = 0; bin < 8; ++bin) sums[bin < a ? 0 : bin < b ? 1 : 2] += weights[static_cast<std::size_t>(bin)];
        best = std::min(best, *std::max_element(sums, sums + 3));
      }
    EXPECT_EQ(*std::max_element(load.begin(), load.end()), best);
  }
}

TEST(GridCandidates, AreAllOrderedFactorisationsWithinTheSizes) {
  const std::vector<Index> limits{3, 100, 2};
  const auto found = grid_candidates(12, limits);
  std::set<std::vector<int>> expected;
  for (int a = 1; a <= 3; ++a)
    for (int b = 1; b <= 12; ++b)
      for (int c = 1; c <= 2; ++c)
        if (a * b * c == 12) expected.insert({a, b, c});
  EXPECT_EQ(std::set<std::vector<int>>(found.begin(), found.end()), expected);
  EXPECT_TRUE(grid_candidates(7, std::vector<Index>{2, 3, 4}).empty());
}

TEST(Partition, SkewedAndCorrelatedTensorsAreBalanced) {
  const Communicator world(MPI_COMM_WORLD);
  for (double exponent : {0.0, 0.7, 1.0})
    for (bool correlated : {false, true}) {
      const SparseTensor tensor = test::skewed({4000, 3000, 500}, 60000, exponent, correlated);
      const auto spread = test::distributed(world, tensor);
      EXPECT_LE(spread->balance(), kGoodBalance) << "exponent " << exponent << " correlated " << correlated;
      EXPECT_EQ(spread->stored_cells(), tensor.nonzeros());
    }
}

// Two modes with a giant slice each: only grids over the other two can be balanced, whatever they cost.
TEST(Partition, GiantSlicesMoveTheGridToOtherModes) {
  const Communicator world(MPI_COMM_WORLD);
  SparseTensor tensor({400, 50, 300, 60});
  RandomStream stream(4, "giant", {});
  for (int k = 0; k < 40000; ++k)
    tensor.append(std::vector<Index>{stream.uniform() < 0.7 ? 0 : static_cast<Index>(stream.uniform_index(400)),
                                     static_cast<Index>(stream.uniform_index(50)),
                                     stream.uniform() < 0.7 ? 7 : static_cast<Index>(stream.uniform_index(300)),
                                     static_cast<Index>(stream.uniform_index(60))},
                  1.0);
  tensor.sum_duplicates();
  const auto spread = test::distributed(world, tensor);
  EXPECT_LE(spread->balance(), kGoodBalance);
}

TEST(Partition, LongModesUseBinsAndKeepEveryNonzero) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{Index{1} << 40, 70000, Index{1} << 33};
  const SparseTensor tensor = test::random_sparse(shape, 5000, 8);
  const auto spread = test::distributed(world, tensor);
  EXPECT_EQ(spread->stored_cells(), 5000);
  double norm = 0;
  for (double value : tensor.values()) norm += value * value;
  EXPECT_NEAR(spread->norm_squared(), norm, 1e-12 * norm);
  for (std::size_t mode = 0; mode < shape.size(); ++mode) {
    std::vector<Index> owned;
    if (spread->active()) {
      const auto mine = spread->rows(static_cast<int>(mode)).owned_rows();
      owned.assign(mine.begin(), mine.end());
    }
    auto all = world.all_gather(std::span<const Index>(owned));
    std::sort(all.begin(), all.end());
    const auto indices = tensor.indices(static_cast<int>(mode));
    const std::set<Index> touched(indices.begin(), indices.end());
    EXPECT_EQ(all, std::vector<Index>(touched.begin(), touched.end())) << "every touched row has one owner";
  }
}

TEST(Partition, DuplicatesSpreadOverRanksAreSummedAndCounted) {
  const Communicator world(MPI_COMM_WORLD);
  SparseTensor tensor({3, 4, 5});
  for (int copy = 0; copy < 6; ++copy) tensor.append(std::vector<Index>{2, 1, 4}, 0.5);
  tensor.append(std::vector<Index>{0, 0, 0}, 2.0);
  const auto spread = test::distributed(world, tensor);
  EXPECT_EQ(spread->stored_cells(), 2);
  EXPECT_EQ(spread->duplicates(), 5);
  EXPECT_DOUBLE_EQ(spread->norm_squared(), 13.0);
}

}  // namespace
}  // namespace tempera
