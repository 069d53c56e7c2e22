#include "distributed/tensor/exchange_model.hpp"

#include <gtest/gtest.h>

#include <string>

#include "distributed/tensor/distributed_tensor.hpp"
#include "tests/support/distributed.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/skewed.hpp"

namespace tempera {
namespace {

struct Case {
  std::string name;
  SparseTensor tensor;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  all.push_back({"random", test::random_sparse({300, 200, 100}, 3000, 3)});
  all.push_back({"taken whole by no sample", test::skewed({6000, 5000, 100000}, 200000, 1, false)});
  all.push_back({"near the diagonal", test::skewed({4000, 3000, 500}, 60000, 0.7, true)});
  all.push_back({"giant slices", test::with_giant_slices({90, 80, 70, 60}, 60000, 0.6)});
  all.push_back({"long modes", test::random_sparse({Index{1} << 40, 70000, Index{1} << 33}, 5000, 8)});
  all.push_back({"hardly any nonzeros", test::random_sparse({3, 4, 5}, 2, 1)});
  all.push_back({"no grid of all ranks", test::random_sparse({2, 2, 1}, 4, 1)});
  return all;
}

void expect_same(const RankRows& model, const RowExchange& real, int mode) {
  EXPECT_EQ(model.touched, real.layout().rows()) << "mode " << mode;
  EXPECT_EQ(model.owned, real.layout().owned_count) << "mode " << mode;
  EXPECT_EQ(model.together, real.ranks()) << "mode " << mode;
  EXPECT_EQ(model.rows_sent(), real.rows_sent()) << "mode " << mode;
  EXPECT_EQ(model.copies, real.buffer_rows(8)) << "mode " << mode;
}

// One process plans for the ranks of this run: grid, parts, balance and volume, the rank of every nonzero, and the rows.
TEST(ExchangeModel, IsWhatAJobOfAsManyRanksSetsUp) {
  const Communicator world(MPI_COMM_WORLD), self = Communicator::self();
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.name);
    const auto dealt = test::dealt(world, one.tensor);
    const NonzeroPartition real = choose_partition(world, one.tensor.shape(), dealt);
    const std::span<const SparseTensor> whole(&one.tensor, 1);
    const NonzeroPartition planned = PartitionChooser(self, one.tensor.shape(), whole).choose(world.size());
    EXPECT_EQ(planned.grid, real.grid);
    EXPECT_EQ(planned.balance, real.balance);
    EXPECT_EQ(planned.volume, real.volume);
    EXPECT_EQ(planned.nonzeros, real.nonzeros);
    const NonzeroRows rows(one.tensor.shape(), whole);
    const auto rank_of = rows.ranks_of(planned, whole);
    EXPECT_EQ(rank_of, rows.ranks_of(real, whole));
    const auto spread = test::distributed(world, one.tensor);
    ASSERT_EQ(spread->grid().extents(), planned.grid);
    if (!spread->active()) continue;
    for (int mode = 0; mode < one.tensor.order(); ++mode)
      expect_same(rows.exchange(mode, planned, rank_of).rows[static_cast<std::size_t>(world.rank())],
                  spread->exchange(mode), mode);
  }
}

TEST(ExchangeModel, OfDenseBlocksIsWhatTheirRanksHold) {
  const Communicator world(MPI_COMM_WORLD);
  for (const std::vector<Index>& shape : {std::vector<Index>{17, 3, 11}, {2, 1, 2}, {5, 40}, {1, 1, 1}}) {
    DenseTensor tensor(shape);
    for (const auto& grid : test::grids_to_try(world.size(), shape)) {
      const auto spread = test::distributed(world, tensor, grid);
      const auto modes = dense_mode_rows(shape, grid);
      if (!spread->active()) continue;
      for (std::size_t mode = 0; mode < shape.size(); ++mode) {
        const RankRows& model = modes[mode].rows[static_cast<std::size_t>(world.rank())];
        const RowExchange& real = spread->exchange(static_cast<int>(mode));
        EXPECT_EQ(model.touched, real.layout().rows());
        EXPECT_EQ(model.owned, real.layout().owned_count);
        EXPECT_EQ(model.together, real.ranks());
        EXPECT_EQ(model.rows_sent(), real.rows_sent());
      }
    }
  }
}

// The definition, for more ranks than there are: owners are among the ranks that touch a row, each row has one, and every
// other rank that touches it holds a copy.
TEST(ExchangeModel, OfThousandsOfRanksHasOneOwnerARow) {
  const Communicator self = Communicator::self();
  const SparseTensor tensor = test::skewed({4000, 3000, 500}, 60000, 1, false);
  const std::span<const SparseTensor> whole(&tensor, 1);
  PartitionChooser chooser(self, tensor.shape(), whole);
  const NonzeroRows rows(tensor.shape(), whole);
  for (const int ranks : {7, 64, 4096, 100000}) {
    const NonzeroPartition partition = chooser.choose(ranks);
    const auto rank_of = rows.ranks_of(partition, whole);
    for (int mode = 0; mode < tensor.order(); ++mode) {
      Index touched = 0, owned = 0, copies = 0, owners = 0, holders = 0;
      for (const RankRows& rank : rows.exchange(mode, partition, rank_of).rows) {
        touched += rank.touched;
        owned += rank.owned;
        copies += rank.copies;
        owners += rank.owners;
        holders += rank.holders;
        EXPECT_LE(rank.owners, std::min<Index>(rank.ghosts(), rank.together - 1));
      }
      EXPECT_EQ(owned, static_cast<Index>(rows.rows(mode)));
      EXPECT_EQ(copies, touched - owned);
      EXPECT_EQ(owners, holders) << "each message of a reduction has one of the sharing that answers it";
    }
  }
}

}  // namespace
}  // namespace tempera
