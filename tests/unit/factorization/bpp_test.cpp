#include "core/factorization/bpp.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/factorization/hals.hpp"
#include "core/factorization/normal_equations.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

/// The solution by trying every set of positive entries: the one with y ≥ 0 elsewhere.
std::vector<double> by_enumeration(const GramMatrix& h, const double* m) {
  for (unsigned set = 0; set < 1u << h.rank; ++set) {
    std::vector<Index> kept;
    for (Index r = 0; r < h.rank; ++r)
      if (set >> r & 1) kept.push_back(r);
    const auto size = static_cast<Index>(kept.size());
    GramMatrix part(size);
    FactorMatrix row(1, size);
    for (Index i = 0; i < size; ++i) {
      row(0, i) = m[kept[static_cast<std::size_t>(i)]];
      for (Index j = 0; j < size; ++j)
        part(i, j) = h(kept[static_cast<std::size_t>(i)], kept[static_cast<std::size_t>(j)]);
    }
    if (size > 0) NormalEquations(part).solve(row, 0, 1);
    std::vector<double> u(static_cast<std::size_t>(h.rank), 0.0);
    for (Index i = 0; i < size; ++i) u[static_cast<std::size_t>(kept[static_cast<std::size_t>(i)])] = row(0, i);
    bool optimal = true;
    for (Index r = 0; r < h.rank; ++r) {
      double gradient = -m[r];
      for (Index s = 0; s < h.rank; ++s) gradient += u[static_cast<std::size_t>(s)] * h(s, r);
      optimal = optimal && u[static_cast<std::size_t>(r)] >= 0 && gradient >= -1e-10;
    }
    if (optimal) return u;
  }
  return {};
}

TEST(Bpp, EqualsTheActiveSetFoundByEnumeration) {
  for (Index rank : {1, 2, 3, 4, 5, 6}) {
    const FactorMatrix k = test::random_matrix(15, rank, 3);
    const GramMatrix h = gram(k, 0, k.rows());
    const FactorMatrix m = test::random_matrix(200, rank, 4);
    FactorMatrix u(200, rank);
    bpp_update(h, m, u, 0, u.rows());
    for (Index i = 0; i < u.rows(); ++i) {
      const auto expected = by_enumeration(h, m.row(i));
      ASSERT_FALSE(expected.empty());
      for (Index r = 0; r < rank; ++r) EXPECT_NEAR(u(i, r), expected[static_cast<std::size_t>(r)], 1e-12) << rank;
    }
  }
}

// Complementarity within rounding, from any start, where components are nearly parallel.
TEST(Bpp, SatisfiesTheOptimalityConditionsAtHighRankAndPoorCondition) {
  const Index rank = 40;
  FactorMatrix k = test::random_matrix(60, rank, 7);
  for (Index i = 0; i < k.rows(); ++i)
    for (Index r = 0; r < rank; ++r) k(i, r) = 1 + 0.05 * std::abs(k(i, r));
  const GramMatrix h = gram(k, 0, k.rows());
  FactorMatrix m = test::random_matrix(50, rank, 8), u = test::random_matrix(50, rank, 9);
  for (double& value : m.storage()) value *= 60;
  bpp_update(h, m, u, 0, u.rows());
  for (Index i = 0; i < u.rows(); ++i)
    for (Index r = 0; r < rank; ++r) {
      double gradient = -m(i, r), magnitude = std::abs(m(i, r));
      for (Index s = 0; s < rank; ++s) {
        gradient += u(i, s) * h(s, r);
        magnitude += u(i, s) * h(s, r);
      }
      EXPECT_GE(u(i, r), 0);
      EXPECT_GE(gradient, -1e-9 * magnitude);
      if (u(i, r) > 0) {
        EXPECT_LE(std::abs(gradient), 1e-9 * magnitude);
      }
    }
}

TEST(Bpp, AgreesWithHalsAndUpdatesOnlyTheRowsAsked) {
  const FactorMatrix k = test::random_matrix(30, 4, 1);
  const GramMatrix h = gram(k, 0, k.rows());
  const FactorMatrix m = test::random_matrix(6, 4, 2);
  FactorMatrix exact(6, 4), swept(6, 4);
  exact(0, 0) = 7;
  bpp_update(h, m, exact, 1, 4);
  for (int call = 0; call < 300; ++call) hals_update(h, m, swept, 1, 4);
  for (Index i = 1; i < 5; ++i)
    for (Index r = 0; r < 4; ++r) EXPECT_NEAR(exact(i, r), swept(i, r), 1e-10);
  EXPECT_EQ(exact(0, 0), 7);
  EXPECT_EQ(exact(5, 2), 0);
}

TEST(Bpp, SingularAndZeroMatricesEnd) {
  GramMatrix h(3);
  for (Index i = 0; i < 3; ++i)
    for (Index j = 0; j < 3; ++j) h(i, j) = i < 2 && j < 2 ? 1 : 0;  // two equal components, one dead
  FactorMatrix m(2, 3), u(2, 3);
  m(0, 0) = m(0, 1) = 2;
  m(1, 0) = m(1, 1) = -2;
  bpp_update(h, m, u, 0, 2);
  EXPECT_NEAR(u(0, 0) + u(0, 1), 2, 1e-9);
  EXPECT_EQ(u(1, 0) + u(1, 1), 0);
  bpp_update(GramMatrix(3), m, u, 0, 2);
}

// More threads cut the rows into other tiles, and fewer rows share a Cholesky factor.
TEST(Bpp, BitsDoNotDependOnTheNumberOfThreads) {
  const Index rank = 6, rows = 9003;
  const FactorMatrix k = test::random_matrix(15, rank, 3);
  const GramMatrix h = gram(k, 0, k.rows());
  const FactorMatrix m = test::random_matrix(rows, rank, 4), start = test::random_matrix(rows, rank, 5);
  FactorMatrix one = start;
  bpp_update(h, m, one, 1, rows - 2);
  for (const int threads : {2, 3, 5}) {
    FactorMatrix u = start;
    bpp_update(h, m, u, 1, rows - 2, threads);
    EXPECT_TRUE(std::ranges::equal(u.storage(), one.storage())) << threads << " threads";
  }
}

}  // namespace
}  // namespace tempera
