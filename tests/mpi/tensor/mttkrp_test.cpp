#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "distributed/tensor/distributed_tensor.hpp"
#include "tests/support/distributed.hpp"
#include "tests/support/skewed.hpp"

namespace tempera {
namespace {

/// MTTKRP with ghosts: local product, reduction to owners, shared again; every local row must equal the oracle's.
void expect_rows(const DistributedTensor& tensor, const std::vector<FactorMatrix>& factors, int mode,
                 const FactorMatrix& expected) {
  if (!tensor.active()) return;
  std::vector<FactorMatrix> local;
  for (int m = 0; m < tensor.order(); ++m)
    local.push_back(test::local_rows(factors[static_cast<std::size_t>(m)], tensor.rows(m)));
  FactorMatrix result(tensor.rows(mode).rows(), expected.columns());
  tensor.mttkrp(local, mode, result);
  tensor.exchange(mode).reduce_to_owners(result);
  tensor.exchange(mode).share_with_ghosts(result);
  EXPECT_LE(test::relative_difference(test::local_rows(expected, tensor.rows(mode)), result), 1e-12) << "mode " << mode;
}

TEST(DistributedMttkrp, SparseEqualsBruteForceForEveryGrid) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<std::pair<std::vector<Index>, Index>> cases = {
      {{6, 5}, 12}, {{9, 4, 7}, 60}, {{9, 1, 7}, 20}, {{40, 30, 4}, 9}, {{4, 5, 3, 6}, 80}, {{3, 4, 2, 3, 5}, 100}};
  for (const auto& [shape, nonzeros] : cases)
    for (Index rank : {1, 5, 16}) {
      const SparseTensor tensor = test::random_sparse(shape, nonzeros, 17);
      const DenseTensor dense = test::filled(tensor);
      const auto factors = test::random_factors(shape, rank, 17);
      for (const auto& grid : test::grids_to_try(world.size(), shape)) {
        const auto spread = test::distributed(world, tensor, grid);
        for (int mode = 0; mode < tensor.order(); ++mode)
          expect_rows(*spread, factors, mode, test::brute_force_mttkrp(dense, factors, mode));
      }
    }
}

TEST(DistributedMttkrp, DenseEqualsBruteForceForEveryGrid) {
  const Communicator world(MPI_COMM_WORLD);
  for (const std::vector<Index>& shape :
       {std::vector<Index>{6, 5}, {7, 4, 5}, {5, 1, 6}, {4, 5, 3, 4}, {3, 4, 2, 3, 4}})
    for (Index rank : {1, 5, 8}) {
      const DenseTensor tensor = test::random_dense(shape, 23);
      const auto factors = test::random_factors(shape, rank, 23);
      for (const auto& grid : test::grids_to_try(world.size(), shape)) {
        const auto spread = test::distributed(world, tensor, grid);
        for (int mode = 0; mode < tensor.order(); ++mode)
          expect_rows(*spread, factors, mode, test::brute_force_mttkrp(tensor, factors, mode));
      }
    }
}

std::int64_t bytes_sent(const Communicator& world) {
  std::int64_t sum = 0;
  for (const auto& row : world.regions().rows()) sum += row.bytes;
  return sum;
}

/// Both ways of one mode must move Σ over rows (ranks touching the row − 1) rows each.
void expect_words_of_shared_rows(const Communicator& world, const SparseTensor& tensor, const std::vector<int>& grid,
                                 Index rank) {
  const auto spread = test::distributed(world, tensor, grid);
  Index promised = 0;
  for (int mode = 0; mode < tensor.order(); ++mode) {
    std::int64_t counts[4] = {0, 0, 0, 0};  // touched and owned rows, bytes each way
    if (spread->active()) {
      const RowLayout& layout = spread->rows(mode);
      counts[0] = layout.rows();
      counts[1] = layout.owned_count;
      FactorMatrix rows(layout.rows(), rank);
      const std::int64_t before = bytes_sent(world);
      spread->exchange(mode).reduce_to_owners(rows);
      const std::int64_t between = bytes_sent(world);
      spread->exchange(mode).share_with_ghosts(rows);
      counts[2] = between - before;
      counts[3] = bytes_sent(world) - between;
    }
    world.all_reduce(std::span<std::int64_t>(counts), Reduction::sum);
    EXPECT_EQ(counts[2], (counts[0] - counts[1]) * rank * 8) << "mode " << mode;
    EXPECT_EQ(counts[3], counts[2]) << "mode " << mode;
    const auto indices = tensor.indices(mode);
    EXPECT_EQ(counts[1], std::ssize(std::set<Index>(indices.begin(), indices.end()))) << "every row has one owner";
    promised += 2 * (counts[0] - counts[1]);
  }
  EXPECT_EQ(spread->exchanged_rows().total, promised);
  EXPECT_GE(spread->exchanged_rows().most * spread->grid().size(), promised);
  EXPECT_LE(promised, spread->exchanged_rows().if_dense);
}

// Rank 8 needs no padding: ghosts travel from and to where they stand.
TEST(RowExchange, SparseExchangeMovesExactlyTheSharedRows) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{30, 20, 25};
  for (const SparseTensor& tensor : {test::random_sparse(shape, 300, 2), test::with_giant_slices(shape, 3000, 0.5)})
    for (const auto& grid : test::grids_to_try(world.size(), shape))
      for (Index rank : {5, 8}) expect_words_of_shared_rows(world, tensor, grid, rank);
}

TEST(RowExchange, DenseExchangeMovesWhatTheGridAsks) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{12, 7, 10};
  for (const auto& grid : test::grids_to_try(world.size(), shape)) {
    const auto spread = test::distributed(world, test::random_dense(shape, 3), grid);
    Index expected = 0;  // Σ 2 I_n (P/p_n − 1)
    for (std::size_t mode = 0; mode < shape.size(); ++mode)
      expected += 2 * shape[mode] * (spread->grid().size() / spread->grid().extents()[mode] - 1);
    EXPECT_EQ(spread->exchanged_rows().total, expected);
    EXPECT_EQ(spread->exchanged_rows().if_dense, expected);
  }
}

}  // namespace
}  // namespace tempera
