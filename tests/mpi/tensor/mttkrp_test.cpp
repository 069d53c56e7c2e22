#include <gtest/gtest.h>

#include <algorithm>

#include "distributed/tensor/distributed_tensor.hpp"
#include "tests/support/distributed.hpp"

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

// Words moved are what the brief promises: Σ over rows (ranks touching the row − 1) · rank each way.
TEST(RowExchange, SparseExchangeMovesExactlyTheSharedRows) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{30, 20, 25};
  const Index rank = 5;
  const SparseTensor tensor = test::random_sparse(shape, 300, 2);
  const auto spread = test::distributed(world, tensor);
  for (int mode = 0; mode < 3; ++mode) {
    std::int64_t touched = 0, owned = 0, sent = 0;
    if (spread->active()) {
      const RowLayout& layout = spread->rows(mode);
      touched = layout.rows();
      owned = layout.owned_count;
      FactorMatrix rows(layout.rows(), rank);
      const auto bytes = [&] {
        std::int64_t sum = 0;
        for (const auto& row : world.regions().rows()) sum += row.bytes;
        return sum;
      };
      const std::int64_t before = bytes();
      spread->exchange(mode).reduce_to_owners(rows);
      sent = bytes() - before;
    }
    touched = world.all_reduce_value(touched, Reduction::sum);
    owned = world.all_reduce_value(owned, Reduction::sum);
    sent = world.all_reduce_value(sent, Reduction::sum);
    EXPECT_EQ(sent, (touched - owned) * rank * 8) << "mode " << mode;
  }
}

}  // namespace
}  // namespace tempera
