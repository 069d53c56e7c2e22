#include "distributed/tensor/partition_comparison.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/mpi.hpp"
#include "tests/support/skewed.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

/// Copies of rows that a coarse partition sends, by the definition; the parts are those of the cuts.
Index coarse_by_definition(const SparseTensor& tensor, int ranks) {
  std::vector<ModeParts> parts;
  for (int mode = 0; mode < tensor.order(); ++mode) {
    parts.push_back(ModeParts::bins_for(tensor.shape()[static_cast<std::size_t>(mode)], false));
    std::vector<Index> weights(static_cast<std::size_t>(parts.back().bins()), 0);
    for (Index index : tensor.indices(mode)) ++weights[static_cast<std::size_t>(parts.back().bin_of(index))];
    parts.back().cut(weights, ranks);
  }
  Index sent = 0;
  for (int mode = 0; mode < tensor.order(); ++mode) {
    std::map<Index, std::set<int>> meeting;
    for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k)
      for (int other = 0; other < tensor.order(); ++other)
        if (other != mode)
          meeting[tensor.indices(mode)[k]].insert(
              parts[static_cast<std::size_t>(other)].part_of(tensor.indices(other)[k]));
    for (auto& [row, met] : meeting) {
      met.erase(parts[static_cast<std::size_t>(mode)].part_of(row));
      sent += std::ssize(met);
    }
  }
  return sent;
}

TEST(PartitionComparison, CountsCoarsePartsByTheirDefinition) {
  const SparseTensor tensor = test::skewed({300, 200, 50}, 4000, 0.7, false);
  const std::span<const SparseTensor> whole(&tensor, 1);
  const NonzeroRows rows(tensor.shape(), whole);
  for (const int ranks : {1, 2, 7, 64})
    EXPECT_EQ(coarse_partition_cost(rows, tensor.shape(), whole, ranks).rows_sent, coarse_by_definition(tensor, ranks));
}

// Blocks along the diagonal, block after block: each fits on a rank, so that no row needs another one.
TEST(PartitionComparison, FinePartsOfSeparateBlocksSendNothing) {
  constexpr int kBlocks = 8;
  SparseTensor tensor({8 * kBlocks, 8 * kBlocks, 8 * kBlocks});
  for (Index block = 0; block < kBlocks; ++block)
    for (Index i = 0; i < 8; ++i)
      for (Index j = 0; j < 8; ++j)
        tensor.append(std::vector<Index>{8 * block + i, 8 * block + j, 8 * block + (i + j) % 8}, 1.0);
  const NonzeroRows rows(tensor.shape(), std::span(&tensor, 1));
  const PartitionCost cost = fine_partition_cost(rows, kBlocks);
  EXPECT_LE(cost.balance, 1.1);
  // The first nonzeros of a block may begin on the rank with fewest; all rows of it together are the most that can travel.
  EXPECT_LE(cost.rows_sent, 2 * 24) << "two ways, one block torn at most";
}

TEST(PartitionComparison, FinePartsKeepTheBalanceAndSendNoMoreThanEveryoneToEveryone) {
  const SparseTensor tensor = test::skewed({300, 200, 50}, 4000, 1, false);
  const NonzeroRows rows(tensor.shape(), std::span(&tensor, 1));
  for (const int ranks : {1, 2, 16}) {
    const PartitionCost cost = fine_partition_cost(rows, ranks);
    EXPECT_LE(cost.balance, kGoodBalance + static_cast<double>(ranks) / static_cast<double>(tensor.nonzeros()));
    Index touched = 0;
    for (int mode = 0; mode < 3; ++mode) touched += static_cast<Index>(rows.rows(mode));
    EXPECT_LE(cost.rows_sent, 2 * touched * (ranks - 1));
    EXPECT_EQ(cost.rows_sent == 0, ranks == 1);
  }
}

}  // namespace
}  // namespace tempera
