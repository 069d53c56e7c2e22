#include "distributed/linalg/cholesky.hpp"

#include <gtest/gtest.h>

#include "distributed/linalg/products.hpp"
#include "tests/mpi/linalg/layouts.hpp"

namespace tempera::test {
namespace {

/// The same bits on all ranks.
bool same_everywhere(const Communicator& world, double value) {
  const double first = world.broadcast_value(value, 0);
  return world.all_reduce_value(std::memcmp(&first, &value, sizeof(value)) == 0 ? 0 : 1, Reduction::maximum) == 0;
}

TEST(DistributedCholesky, FactorDeterminantSolveAndInverseEqualTheSerialOnes) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index n, Index block) {
      const Eigen::MatrixXd matrix = random_positive_definite(n);
      const Eigen::LLT<Eigen::MatrixXd> serial(matrix);
      const Eigen::MatrixXd serial_factor = serial.matrixL();
      BlockCyclicMatrix factor = distribute_replicated(grid, lower_only(matrix), block);
      ASSERT_EQ(cholesky(factor), 0);
      EXPECT_LT(relative_error(lower_part(replicate(factor)), serial_factor), kTolerance);

      const double determinant = log_determinant(factor);
      const double expected = n == 0 ? 0 : 2 * serial_factor.diagonal().array().log().sum();
      EXPECT_NEAR(determinant, expected, kTolerance * (1 + std::abs(expected)));
      EXPECT_TRUE(same_everywhere(world, determinant));

      const Eigen::MatrixXd right = random_matrix(n, 3);
      BlockCyclicMatrix x = distribute_replicated(grid, right, block);
      cholesky_solve(factor, x);
      EXPECT_LT(relative_error(replicate(x), n == 0 ? right : Eigen::MatrixXd(serial.solve(right))), kTolerance);

      cholesky_inverse(factor);
      const Eigen::MatrixXd inverse = n == 0 ? matrix : Eigen::MatrixXd(serial.solve(Eigen::MatrixXd::Identity(n, n)));
      EXPECT_LT(relative_error(lower_part(replicate(factor)), lower_part(inverse)), kTolerance);
    });
  });
}

TEST(DistributedCholesky, TellsTheFirstFailingPivotOnAllRanks) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index n, Index block) {
      for (const Index pivot : {Index{1}, n / 2 + 1, n}) {
        if (pivot < 1 || pivot > n) continue;
        const auto failing = [&](double entry) {
          Eigen::MatrixXd matrix = random_positive_definite(n);
          matrix(pivot - 1, pivot - 1) = entry;
          BlockCyclicMatrix factor = distribute_replicated(grid, lower_only(matrix), block);
          return cholesky(factor);
        };
        EXPECT_EQ(failing(-1), pivot);
        EXPECT_EQ(failing(std::numeric_limits<double>::quiet_NaN()), pivot);
        EXPECT_EQ(failing(std::numeric_limits<double>::infinity()), pivot);
      }
      // Exactly singular from its second row on.
      if (n < 2) return;
      BlockCyclicMatrix ones(grid, n, n, block);
      ones.fill(1.0);
      EXPECT_EQ(cholesky(ones), 2);
    });
  });
}

TEST(DistributedCholesky, SharesOfTheSameGridGiveTheSameBits) {
  on_all_ranks([](const Communicator& world) {
    const BlacsGrid grid(world, {1, 1});
    const BlacsGrid again(Communicator::self(), {1, 1});
    const Eigen::MatrixXd matrix = random_positive_definite(130);
    BlockCyclicMatrix one = distribute_replicated(grid, matrix, 16);
    BlockCyclicMatrix two = distribute_replicated(again, matrix, 16);
    cholesky(one);
    cholesky(two);
    EXPECT_EQ(lower_part(replicate(one)), lower_part(replicate(two)));
    EXPECT_EQ(log_determinant(one), log_determinant(two));
  });
}

TEST(DistributedCholesky, AppendedRowsEqualAFactorOfTheWhole) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index n, Index block) {
      for (const Index added : {0, 1, 9, 70}) {
        const Eigen::MatrixXd whole = random_positive_definite(n + added);
        BlockCyclicMatrix factor = distribute_replicated(grid, lower_only(whole.topLeftCorner(n, n)), block);
        ASSERT_EQ(cholesky(factor), 0);
        ASSERT_EQ(append_rows(factor, distribute_replicated(grid, lower_only(whole).bottomRows(added), block)), 0);
        ASSERT_EQ(factor.rows(), n + added);
        const Eigen::MatrixXd serial = whole.llt().matrixL();
        EXPECT_LT(relative_error(lower_part(replicate(factor)), serial), kTolerance) << added << " rows";
      }
    });
  });
}

TEST(DistributedCholesky, ARowThatMakesTheMatrixIndefiniteLeavesTheFactor) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index n, Index block) {
      Eigen::MatrixXd whole = random_positive_definite(n + 2);
      whole(n + 1, n + 1) = -1;
      BlockCyclicMatrix factor = distribute_replicated(grid, whole.topLeftCorner(n, n), block);
      ASSERT_EQ(cholesky(factor), 0);
      const Eigen::MatrixXd before = lower_part(replicate(factor));
      EXPECT_EQ(append_rows(factor, distribute_replicated(grid, Eigen::MatrixXd(whole.bottomRows(2)), block)), n + 2);
      EXPECT_EQ(lower_part(replicate(factor)), before);
    });
    const BlacsGrid grid(world);
    BlockCyclicMatrix factor = distribute_replicated(grid, Eigen::MatrixXd::Identity(4, 4), 2);
    EXPECT_THROW(append_rows(factor, BlockCyclicMatrix(grid, 2, 5, 2)), Error);
    BlockCyclicMatrix oblong(grid, 4, 5, 2);
    EXPECT_THROW(cholesky(oblong), Error);
  });
}

}  // namespace
}  // namespace tempera::test
