#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "distributed/tensor/exchange_model.hpp"
#include "distributed/tensor/nonzero_partition.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/skewed.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

struct Named {
  std::string name;
  SparseTensor tensor;
};

/// Rows that all ranks send in a sweep by their definition, each as many words as the model has components: every rank that
/// touches a row beside its owner gets it and sends its share of the new one.
Index rows_sent(const NonzeroPartition& partition, const SparseTensor& tensor) {
  std::vector<std::pair<Index, int>> touches(static_cast<std::size_t>(tensor.nonzeros()));
  std::vector<int> rank_of;
  for (std::size_t k = 0; k < touches.size(); ++k)
    rank_of.push_back(partition.rank_of([&](std::size_t mode) { return tensor.indices(static_cast<int>(mode))[k]; }));
  Index sent = 0;
  for (int mode = 0; mode < tensor.order(); ++mode) {
    for (std::size_t k = 0; k < touches.size(); ++k) touches[k] = {tensor.indices(mode)[k], rank_of[k]};
    std::sort(touches.begin(), touches.end());
    for (std::size_t k = 1; k < touches.size(); ++k)
      if (touches[k].first == touches[k - 1].first && touches[k].second != touches[k - 1].second) sent += 2;
  }
  return sent;
}

/// The same, from what ranks would exchange.
Index rows_exchanged(const NonzeroRows& rows, const NonzeroPartition& partition, const SparseTensor& tensor) {
  const auto rank_of = rows.ranks_of(partition, std::span(&tensor, 1));
  Index sent = 0;
  for (int mode = 0; mode < tensor.order(); ++mode)
    for (const RankRows& rank : rows.exchange(mode, partition, rank_of).rows) sent += rank.rows_sent();
  return sent;
}

/// All ordered factorisations, by trying every divisor in turn.
void for_each_grid(int left, std::vector<int>& grid, std::span<const Index> shape,
                   const std::function<void(const std::vector<int>&)>& visit) {
  if (grid.size() == shape.size()) {
    if (left == 1) visit(grid);
    return;
  }
  for (int extent = 1; extent <= std::min<Index>(left, shape[grid.size()]); ++extent)
    if (left % extent == 0) {
      grid.push_back(extent);
      for_each_grid(left / extent, grid, shape, visit);
      grid.pop_back();
    }
}

/// The chosen grid against every factorisation that is as evenly balanced as the chosen one, or as is good enough.
void expect_few_words(const Named& named, std::span<const int> numbers) {
  const Communicator world(MPI_COMM_WORLD), self = Communicator::self();
  const SparseTensor& tensor = named.tensor;
  const std::span<const SparseTensor> whole(&tensor, 1);
  const NonzeroRows rows(tensor.shape(), whole);
  for (std::size_t k = static_cast<std::size_t>(world.rank()); k < numbers.size();
       k += static_cast<std::size_t>(world.size())) {
    const int ranks = numbers[k];
    PartitionChooser chooser(self, tensor.shape(), whole);
    const NonzeroPartition chosen = chooser.choose(ranks);
    if (grid_ranks(chosen.grid) != ranks) continue;  // no grid of all
    const double balance = std::max(reachable_balance(tensor.nonzeros(), ranks), chosen.balance);
    Index least = std::numeric_limits<Index>::max();
    std::vector<int> grid, best;
    for_each_grid(ranks, grid, tensor.shape(), [&](const std::vector<int>& other) {
      const NonzeroPartition partition = chooser.choose(ranks, other);
      if (partition.balance > balance) return;
      const Index sent = rows_sent(partition, tensor);
      if (sent < least) best = other;
      least = std::min(least, sent);
    });
    const Index sent = rows_sent(chosen, tensor);
    EXPECT_EQ(rows_exchanged(rows, chosen, tensor), sent);
    EXPECT_LE(static_cast<double>(sent), 1.05 * static_cast<double>(least))
        << named.name << " on " << ranks << " ranks: " << ::testing::PrintToString(chosen.grid) << " in place of "
        << ::testing::PrintToString(best);
  }
}

std::vector<Named> tensors(Index nonzeros) {
  return {{"uniform", test::random_sparse({3000, 2000, 1000}, nonzeros, 3)},
          {"power law", test::skewed({6000, 5000, 3000}, nonzeros, 1, false)},
          {"one long mode", test::random_sparse({nonzeros / 2, 60, 40}, nonzeros, 4)},
          {"one long mode, power law", test::skewed({nonzeros, 60, 40}, nonzeros, 0.8, false)},
          {"order 4", test::skewed({2000, 600, 100, 24}, nonzeros, 0.8, false)}};
}

// Powers of two, highly composite numbers, a prime and a product of two.
TEST(SparseGrid, SendsAtMostFivePercentMoreWordsThanTheBestFactorisation) {
  const std::vector<int> numbers{1, 2, 3, 4, 6, 8, 12, 16, 24, 36, 48, 60, 61, 64, 77};
  for (const Named& named : tensors(5000)) expect_few_words(named, numbers);
}

// Not taken whole by the first counts.
TEST(SparseGrid, SendsFewWordsWhereFewRowsAreCountedFirst) {
  expect_few_words({"power law", test::skewed({6000, 5000, 3000}, 60000, 1, false)}, std::vector<int>{24});
}

TEST(SparseGrid, DISABLED_SendsFewWordsWhereFewRowsAreCountedFirst) {
  const std::vector<int> numbers{60, 120, 360, 509, 720, 1024, 2048, 3600, 4096};
  for (const Named& named : tensors(300000))
    if (named.tensor.order() == 3) expect_few_words(named, numbers);
}

// Order 4, with several times as many factorisations, has every 16th number. Hours on one rank.
TEST(SparseGrid, DISABLED_SendsFewWordsOnAnyNumberOfRanks) {
  for (const Named& named : tensors(10000)) {
    std::vector<int> numbers;
    for (int ranks = 1; ranks <= 4096; ranks += named.tensor.order() == 4 ? 16 : 1) numbers.push_back(ranks);
    expect_few_words(named, numbers);
  }
}

// Two short modes, every row of which all ranks touch: were they to choose owners each for itself by the same order, one
// rank would send the copies of all rows.
TEST(SparseGrid, RowsThatAllRanksTouchHaveOwnersAmongAllOfThem) {
  constexpr int kRanks = 120;
  const SparseTensor tensor = test::random_sparse({15000, 60, 40}, 30000, 4);
  const std::span<const SparseTensor> whole(&tensor, 1);
  const NonzeroRows rows(tensor.shape(), whole);
  const NonzeroPartition partition =
      PartitionChooser(Communicator::self(), tensor.shape(), whole).choose(kRanks, {kRanks, 1, 1});
  const auto rank_of = rows.ranks_of(partition, whole);
  for (const int mode : {1, 2}) {
    Index most = 0;
    for (const RankRows& rank : rows.exchange(mode, partition, rank_of).rows) most = std::max(most, rank.owned);
    EXPECT_LE(most, 3) << "of fewer rows than ranks, mode " << mode;
  }
}

}  // namespace
}  // namespace tempera
