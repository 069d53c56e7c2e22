#include "core/factorization/hals.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/factorization/initial_factors.hpp"
#include "core/factorization/normal_equations.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

/// ½ uᵀHu − mᵀu of one row: the objective up to a constant.
double objective(const GramMatrix& h, const double* m, const double* u) {
  double value = 0;
  for (Index r = 0; r < h.rank; ++r) {
    value -= m[r] * u[r];
    for (Index s = 0; s < h.rank; ++s) value += 0.5 * u[r] * h(r, s) * u[s];
  }
  return value;
}

/// The nonnegative minimum by trying every set of positive entries.
double brute_force_minimum(const GramMatrix& h, const double* m) {
  double best = 0;  // u = 0
  for (unsigned set = 1; set < 1u << h.rank; ++set) {
    std::vector<Index> positive;
    for (Index r = 0; r < h.rank; ++r)
      if (set >> r & 1) positive.push_back(r);
    const auto size = static_cast<Index>(positive.size());
    GramMatrix part(size);
    FactorMatrix row(1, size);
    for (Index i = 0; i < size; ++i) {
      row(0, i) = m[positive[static_cast<std::size_t>(i)]];
      for (Index j = 0; j < size; ++j)
        part(i, j) = h(positive[static_cast<std::size_t>(i)], positive[static_cast<std::size_t>(j)]);
    }
    NormalEquations(part).solve(row, 0, 1);
    std::vector<double> u(static_cast<std::size_t>(h.rank), 0.0);
    bool feasible = true;
    for (Index i = 0; i < size; ++i) {
      feasible = feasible && row(0, i) >= 0;
      u[static_cast<std::size_t>(positive[static_cast<std::size_t>(i)])] = row(0, i);
    }
    if (feasible) best = std::min(best, objective(h, m, u.data()));
  }
  return best;
}

TEST(Hals, ReachesTheActiveSetOptimumAndNeverRises) {
  for (Index rank : {1, 2, 3, 5, 6}) {
    const FactorMatrix k = test::random_matrix(20, rank, 3);
    const GramMatrix h = gram(k, 0, k.rows());
    const FactorMatrix m = test::random_matrix(12, rank, 4);
    FactorMatrix u(12, rank);
    std::vector<double> previous(12, std::numeric_limits<double>::infinity());
    for (int call = 0; call < 200; ++call) {
      hals_update(h, m, u, 0, u.rows());
      for (Index i = 0; i < u.rows(); ++i) {
        const double value = objective(h, m.row(i), u.row(i));
        EXPECT_LE(value, previous[static_cast<std::size_t>(i)] + 1e-12);
        previous[static_cast<std::size_t>(i)] = value;
        for (Index r = 0; r < rank; ++r) ASSERT_GE(u(i, r), 0.0);
      }
    }
    for (Index i = 0; i < u.rows(); ++i)
      EXPECT_NEAR(previous[static_cast<std::size_t>(i)], brute_force_minimum(h, m.row(i)), 1e-9) << "rank " << rank;
  }
}

TEST(Hals, LeavesDeadComponentsAndOtherRowsAlone) {
  GramMatrix h(2);
  h(0, 0) = 2;  // component 1 has no curvature
  FactorMatrix m(3, 2), u(3, 2);
  for (Index i = 0; i < 3; ++i) {
    m(i, 0) = 4;
    u(i, 1) = 0.5;
  }
  hals_update(h, m, u, 1, 1);
  EXPECT_EQ(u(0, 0), 0.0);
  EXPECT_EQ(u(1, 0), 2.0);
  EXPECT_EQ(u(1, 1), 0.5);
  EXPECT_EQ(u(2, 0), 0.0);
}

// Rows that end after one pass lie beside rows that take all of them.
TEST(Hals, ARowDoesNotDependOnTheRowsBesideIt) {
  for (Index rank : {1, 3, 8, 13}) {
    const Index rows = 21;
    const GramMatrix h = gram(test::random_matrix(2 * rank, rank, 3), 0, 2 * rank);
    const FactorMatrix m = test::random_matrix(rows, rank, 4);
    FactorMatrix start = test::random_matrix(rows, rank, 5);
    for (double& value : start.storage()) value = std::abs(value);
    for (Index i = 0; i < rows; i += 3) std::fill_n(start.row(i), rank, 0.0);
    FactorMatrix together = start, alone = start;
    hals_update(h, m, together, 0, rows);
    for (Index i = 0; i < rows; ++i) hals_update(h, m, alone, i, 1);
    for (Index i = 0; i < rows; ++i)
      for (Index r = 0; r < rank; ++r) EXPECT_EQ(together(i, r), alone(i, r)) << "row " << i << " rank " << rank;
  }
}

TEST(Hals, BitsDoNotDependOnTheNumberOfThreads) {
  const Index rank = 6, rows = 1803;
  const GramMatrix h = gram(test::random_matrix(2 * rank, rank, 3), 0, 2 * rank);
  const FactorMatrix m = test::random_matrix(rows, rank, 4);
  FactorMatrix start = test::random_matrix(rows, rank, 5);
  for (double& value : start.storage()) value = std::abs(value);
  FactorMatrix one = start;
  hals_update(h, m, one, 3, rows - 5);
  for (const int threads : {2, 3, 5}) {
    FactorMatrix u = start;
    hals_update(h, m, u, 3, rows - 5, threads);
    EXPECT_TRUE(std::ranges::equal(u.storage(), one.storage())) << threads << " threads";
  }
  for (Index r = 0; r < rank; ++r) {
    EXPECT_EQ(one(2, r), start(2, r));
    EXPECT_EQ(one(rows - 2, r), start(rows - 2, r));
  }
}

// Any share of the rows, in any order: the same values.
TEST(RandomStart, DependsOnTheGlobalRowOnly) {
  const std::vector<Index> all{0, 1, 2, 3, 4, Index{1} << 40}, some{Index{1} << 40, 3};
  FactorMatrix whole(6, 3), part(2, 3), other(2, 3);
  random_start(whole, all, 5, 0, 1);
  random_start(part, some, 5, 0, 1);
  for (Index r = 0; r < 3; ++r) {
    EXPECT_EQ(part(0, r), whole(5, r));
    EXPECT_EQ(part(1, r), whole(3, r));
  }
  for (auto [restart, mode] : {std::pair{1, 1}, {0, 2}}) {
    random_start(other, some, 5, restart, mode);
    EXPECT_NE(other(0, 0), part(0, 0));
  }
}

}  // namespace
}  // namespace tempera
