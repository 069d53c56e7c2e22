#include "distributed/tensor/exchange_volume.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/distributed.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/skewed.hpp"

namespace tempera {
namespace {

/// The definition: for every mode and row the set of ranks whose nonzeros touch it.
ExchangeVolume brute_force(const SparseTensor& tensor, const NonzeroPartition& partition, int ranks) {
  std::vector<double> of_rank(static_cast<std::size_t>(ranks), 0.0);
  std::size_t widest = 1;
  for (int mode = 0; mode < tensor.order(); ++mode) {
    std::map<Index, std::set<int>> touching;
    for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k)
      touching[tensor.indices(mode)[k]].insert(
          partition.rank_of([&](std::size_t m) { return tensor.indices(static_cast<int>(m))[k]; }));
    for (const auto& [row, touched] : touching) {
      widest = std::max(widest, touched.size());
      for (int rank : touched) of_rank[static_cast<std::size_t>(rank)] += 1 - 1 / static_cast<double>(touched.size());
    }
  }
  ExchangeVolume volume;
  for (double rows : of_rank) {
    volume.total += rows;
    volume.most = std::max(volume.most, rows);
  }
  volume.most = std::max(volume.most, volume.total / ranks + static_cast<double>(widest - 1) / 2);
  return volume;
}

VolumeSample sample_of(const Communicator& world, const std::vector<SparseTensor>& blocks, const SparseTensor& tensor) {
  std::vector<ModeParts> bins;
  std::vector<std::vector<Index>> weights;
  for (int mode = 0; mode < tensor.order(); ++mode) {
    bins.push_back(ModeParts::bins_for(tensor.shape()[static_cast<std::size_t>(mode)], false));
    std::vector<Index>& counts = weights.emplace_back(static_cast<std::size_t>(bins.back().bins()), 0);
    for (Index index : tensor.indices(mode)) ++counts[static_cast<std::size_t>(bins.back().bin_of(index))];
  }
  return {world, blocks, bins, weights, tensor.nonzeros(), world.size()};
}

TEST(ExchangeVolume, OfASmallTensorIsExact) {
  const Communicator world(MPI_COMM_WORLD);
  const SparseTensor tensor = test::random_sparse({300, 200, 100}, 3000, 3);
  const auto blocks = test::dealt(world, tensor);
  const VolumeSample sample = sample_of(world, blocks, tensor);
  for (const auto& grid : grid_candidates(world.size(), tensor.shape())) {
    const NonzeroPartition partition = choose_partition(world, tensor.shape(), blocks, grid);
    const ExchangeVolume expected = brute_force(tensor, partition, world.size());
    const ExchangeVolume counted = sample.count(partition);
    EXPECT_NEAR(counted.total, expected.total, 1e-9 * expected.total);
    EXPECT_NEAR(counted.most, expected.most, 1e-8 * expected.most) << "in units of 2^-30 rows";
  }
}

// The sample draws a few hundred rows of each mode, so that the volume is known to some percent.
TEST(ExchangeVolume, OfALargeTensorIsEstimatedWithinAFifth) {
  const Communicator world(MPI_COMM_WORLD);
  TEMPERA_REQUIRE_RANKS(world, 2);
  const SparseTensor tensor = test::skewed({6000, 5000, 100000}, 200000, 1, false);
  const auto blocks = test::dealt(world, tensor);
  const VolumeSample sample = sample_of(world, blocks, tensor);
  for (const std::vector<int>& grid : {std::vector<int>{1, 1, world.size()}, {world.size(), 1, 1}}) {
    const NonzeroPartition partition = choose_partition(world, tensor.shape(), blocks, grid);
    const double counted = sample.count(partition).total;
    if (!world.is_root()) continue;
    const double expected = brute_force(tensor, partition, world.size()).total;
    EXPECT_NEAR(counted, expected, 0.2 * expected);
  }
}

// Neighbours of mode 0 lie in few blocks of mode 1 but not of mode 2: the estimate by sizes alone would take another grid.
TEST(Partition, TakesABalancedGridOfAboutTheLeastVolume) {
  const Communicator world(MPI_COMM_WORLD);
  SparseTensor tensor({600, 600, 120});
  for (Index i = 0; i < 600; ++i)
    for (Index j = 0; j < 4; ++j)
      for (Index k = 0; k < 5; ++k)
        tensor.append(std::vector<Index>{i, i / 4 * 4 + j, (i * 7 + j * 31 + k * 23) % 120}, 1.0);
  tensor.sum_duplicates();
  const auto blocks = test::dealt(world, tensor);
  const NonzeroPartition chosen = choose_partition(world, tensor.shape(), blocks);
  EXPECT_LE(chosen.balance, kGoodBalance);
  const double volume = brute_force(tensor, chosen, world.size()).total;
  for (const auto& grid : grid_candidates(world.size(), tensor.shape())) {
    const NonzeroPartition other = choose_partition(world, tensor.shape(), blocks, grid);
    if (other.balance > kGoodBalance) continue;
    EXPECT_LE(volume, 1.03 * brute_force(tensor, other, world.size()).total) << "of another grid";
  }
}

}  // namespace
}  // namespace tempera
