#include "distributed/als/column_exchange.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "distributed/als/polar_factor.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

/// Every size()-th row of a matrix that all ranks hold whole.
std::vector<Index> dealt_rows(const Communicator& ranks, Index size) {
  std::vector<Index> rows;
  for (Index i = ranks.rank(); i < size; i += ranks.size()) rows.push_back(i);
  return rows;
}

FactorMatrix rows_of(const FactorMatrix& whole, const std::vector<Index>& rows) {
  FactorMatrix part(std::ssize(rows), whole.columns());
  for (Index k = 0; k < part.rows(); ++k)
    std::copy_n(whole.row(rows[static_cast<std::size_t>(k)]), whole.columns(), part.row(k));
  return part;
}

// Running sums down each column, as one process would make them; sizes with idle ranks and empty parts.
TEST(ColumnExchange, WholeColumnsAreChangedInTheOrderOfTheirRows) {
  const Communicator world(MPI_COMM_WORLD);
  for (Index size : {1, 2, 3, 7, 40})
    for (auto [columns, threads] : {std::pair<Index, int>{1, 1}, {2, 3}, {3, 1}, {5, 3}, {8, 1}, {8, 3}}) {
      const FactorMatrix whole = test::random_matrix(size, columns, 3);
      FactorMatrix expected = whole;
      double last = 0;
      std::vector<double> lasts;
      for (Index r = 0; r < columns; ++r) {
        for (Index i = 1; i < size; ++i) expected(i, r) += expected(i - 1, r);
        last += expected(size - 1, r);
        lasts.push_back(expected(size - 1, r));
      }
      const auto rows = dealt_rows(world, size);
      const ColumnExchange exchange(world, rows, columns, threads);
      FactorMatrix mine = rows_of(whole, rows);
      const auto add_up = [](std::span<double> column) {
        for (std::size_t i = 1; i < column.size(); ++i) column[i] += column[i - 1];
        return column.back();
      };
      EXPECT_EQ(exchange.apply(mine, add_up), last) << "the sum over columns has one order";
      const FactorMatrix wanted = rows_of(expected, rows);
      for (Index k = 0; k < mine.rows(); ++k)
        for (Index r = 0; r < columns; ++r) EXPECT_EQ(mine(k, r), wanted(k, r)) << size << " x " << columns;
      EXPECT_EQ(exchange.visit(mine, [](std::span<const double> column) { return column.back(); }), lasts);
    }
}

// UᵀU = I, and UᵀA is symmetric positive semidefinite, which is the polar factor and no other matrix.
TEST(PolarFactor, IsOrthonormalAndItsProductSymmetricPositive) {
  const Communicator world(MPI_COMM_WORLD);
  for (auto [size, rank] : {std::pair<Index, Index>{1, 1}, {4, 4}, {9, 2}, {30, 5}})
    for (double scale : {1.0, 1e-9}) {  // the second: columns that differ by nine orders
      FactorMatrix a = test::random_matrix(size, rank, 6);
      for (Index i = 0; i < size; ++i) a(i, 0) *= scale;
      const auto rows = dealt_rows(world, size);
      const FactorMatrix before = rows_of(a, rows);
      FactorMatrix u = before;
      replace_by_polar_factor(world, u);
      std::vector<double> products(static_cast<std::size_t>(2 * rank * rank));
      for (Index k = 0; k < u.rows(); ++k)
        for (Index r = 0; r < rank; ++r)
          for (Index s = 0; s < rank; ++s) {
            products[static_cast<std::size_t>(r * rank + s)] += u(k, r) * u(k, s);
            products[static_cast<std::size_t>((rank + r) * rank + s)] += u(k, r) * before(k, s);
          }
      world.all_reduce(std::span<double>(products), Reduction::sum);
      for (Index r = 0; r < rank; ++r)
        for (Index s = 0; s < rank; ++s) {
          EXPECT_NEAR(products[static_cast<std::size_t>(r * rank + s)], r == s ? 1 : 0, 1e-13);
          EXPECT_NEAR(products[static_cast<std::size_t>((rank + r) * rank + s)],
                      products[static_cast<std::size_t>((rank + s) * rank + r)], 1e-12);
        }
      for (Index r = 0; r < rank; ++r) EXPECT_GE(products[static_cast<std::size_t>((rank + r) * rank + r)], -1e-13);
    }
}

TEST(PolarFactor, OfARankDeficientMatrixIsOrthonormalAllTheSame) {
  const Communicator world(MPI_COMM_WORLD);
  FactorMatrix u(std::ssize(dealt_rows(world, 6)), 3);  // zero
  replace_by_polar_factor(world, u);
  std::vector<double> own(9);
  for (Index k = 0; k < u.rows(); ++k)
    for (Index r = 0; r < 3; ++r)
      for (Index s = 0; s < 3; ++s) own[static_cast<std::size_t>(3 * r + s)] += u(k, r) * u(k, s);
  world.all_reduce(std::span<double>(own), Reduction::sum);
  for (std::size_t k = 0; k < 9; ++k) EXPECT_NEAR(own[k], k % 4 == 0 ? 1 : 0, 1e-13);
}

}  // namespace
}  // namespace tempera
