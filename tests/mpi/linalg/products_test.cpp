#include "distributed/linalg/products.hpp"

#include <gtest/gtest.h>

#include "tests/mpi/linalg/layouts.hpp"

namespace tempera::test {
namespace {

Eigen::MatrixXd as_column(const std::vector<double>& values) {
  return Eigen::Map<const Eigen::VectorXd>(values.data(), std::ssize(values));
}

TEST(DistributedProducts, ProductsOfAllTransposesEqualTheSerialOnes) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index n, Index block) {
      for (const Index inner : {Index{0}, Index{1}, n}) {
        const Eigen::MatrixXd a = random_matrix(n, inner, 1);
        const Eigen::MatrixXd b = random_matrix(inner, n + 3, 2);
        const Eigen::MatrixXd c = random_matrix(n, n + 3, 3);
        const Eigen::MatrixXd expected = 0.5 * a * b - 2 * c;
        for (const Transpose a_op : {Transpose::no, Transpose::yes})
          for (const Transpose b_op : {Transpose::no, Transpose::yes}) {
            const auto stored = [&](const Eigen::MatrixXd& matrix, Transpose op) {
              return distribute_replicated(grid, op == Transpose::no ? matrix : Eigen::MatrixXd(matrix.transpose()),
                                           block);
            };
            BlockCyclicMatrix result = distribute_replicated(grid, c, block);
            multiply(0.5, stored(a, a_op), a_op, stored(b, b_op), b_op, -2, result);
            EXPECT_LT(relative_error(replicate(result), expected), kTolerance);
          }
      }
    });
  });
}

TEST(DistributedProducts, ZeroTimesUndefinedIsZero) {
  on_all_ranks([](const Communicator& world) {
    const BlacsGrid grid(world);
    const Eigen::MatrixXd a = random_matrix(33, 20);
    const BlockCyclicMatrix stored = distribute_replicated(grid, a, 8);
    BlockCyclicMatrix result(grid, 33, 33, 8);
    result.fill(std::numeric_limits<double>::quiet_NaN());
    multiply(1, stored, Transpose::no, stored, Transpose::yes, 0, result);
    EXPECT_LT(relative_error(replicate(result), a * a.transpose()), kTolerance);
  });
}

TEST(DistributedProducts, OwnTransposeTouchesTheLowerTriangleOnly) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index n, Index block) {
      const Eigen::MatrixXd a = random_matrix(n, 11);
      const Eigen::MatrixXd c = random_matrix(n, n);
      BlockCyclicMatrix result = distribute_replicated(grid, lower_only(c), block);
      multiply_by_own_transpose(-1, distribute_replicated(grid, a, block), 2, result);
      const Eigen::MatrixXd whole = replicate(result);
      EXPECT_LT(relative_error(lower_part(whole), lower_part(2 * c - a * a.transpose())), kTolerance);
      if (n > 1) {
        EXPECT_TRUE(std::isnan(whole(0, n - 1)));
      }
    });
  });
}

TEST(DistributedProducts, TriangularSolvesOnBothSides) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index n, Index block) {
      const Eigen::MatrixXd lower = random_positive_definite(n).llt().matrixL();
      const BlockCyclicMatrix triangle = distribute_replicated(grid, lower_only(lower), block);
      const auto solved = [&](const Eigen::MatrixXd& x, Transpose op, Side side) {
        BlockCyclicMatrix result = distribute_replicated(grid, x, block);
        solve_lower(triangle, op, side, result);
        return replicate(result);
      };
      const Eigen::MatrixXd x = random_matrix(n, 6);
      const Eigen::MatrixXd xt = x.transpose();
      EXPECT_LT(relative_error(lower * solved(x, Transpose::no, Side::left), x), kTolerance);
      EXPECT_LT(relative_error(lower.transpose() * solved(x, Transpose::yes, Side::left), x), kTolerance);
      EXPECT_LT(relative_error(solved(xt, Transpose::no, Side::right) * lower, xt), kTolerance);
      EXPECT_LT(relative_error(solved(xt, Transpose::yes, Side::right) * lower.transpose(), xt), kTolerance);
    });
  });
}

TEST(DistributedProducts, DiagonalsNormsAndDotProductsOfColumns) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index n, Index block) {
      for (const Index columns : {n / 2, n + 4}) {
        const Eigen::MatrixXd a = random_matrix(n, columns);
        const BlockCyclicMatrix matrix = distribute_replicated(grid, a, block);
        EXPECT_EQ(as_column(diagonal(matrix)), a.diagonal());
        EXPECT_LT(relative_error(as_column(squared_column_norms(matrix)), a.colwise().squaredNorm().transpose()),
                  kTolerance);
        const Eigen::VectorXd b = random_matrix(n, 1, 5);
        EXPECT_LT(relative_error(as_column(dot_columns(matrix, {b.begin(), b.end()})), a.transpose() * b), kTolerance);
      }
    });
  });
}

TEST(DistributedProducts, WhatDoesNotFitIsRefused) {
  on_all_ranks([](const Communicator& world) {
    const BlacsGrid grid(world);
    const BlockCyclicMatrix a(grid, 4, 5, 2);
    BlockCyclicMatrix result(grid, 4, 4, 2);
    BlockCyclicMatrix other_block(grid, 4, 4, 3);
    EXPECT_THROW(multiply(1, a, Transpose::no, a, Transpose::no, 0, result), Error);
    EXPECT_THROW(multiply(1, a, Transpose::no, a, Transpose::yes, 0, other_block), Error);
    EXPECT_THROW(multiply_by_own_transpose(1, a, 0, other_block), Error);
    EXPECT_THROW(solve_lower(a, Transpose::no, Side::left, result), Error);
    EXPECT_THROW(dot_columns(a, {1, 2, 3}), Error);
  });
}

}  // namespace
}  // namespace tempera::test
