#include "core/factorization/normal_equations.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/error.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

/// KᵀK of a random matrix with `independent` linearly independent columns out of `rank`.
GramMatrix gram_of_rank(Index rank, Index independent, std::uint64_t seed) {
  FactorMatrix k = test::random_matrix(40, rank, seed);
  for (Index r = independent; r < rank; ++r)
    for (Index i = 0; i < k.rows(); ++i) k(i, r) = k(i, r % independent);
  return gram(k, 0, k.rows());
}

/// U H, by loops.
FactorMatrix times(const FactorMatrix& u, const GramMatrix& h) {
  FactorMatrix product(u.rows(), u.columns());
  for (Index i = 0; i < u.rows(); ++i)
    for (Index r = 0; r < u.columns(); ++r)
      for (Index s = 0; s < u.columns(); ++s) product(i, r) += u(i, s) * h(s, r);
  return product;
}

TEST(NormalEquations, SolveEveryRowWhenWellConditioned) {
  for (Index rank : {1, 2, 3, 5, 8, 17}) {
    const GramMatrix h = gram_of_rank(rank, rank, 3);
    const FactorMatrix truth = test::random_matrix(700, rank, 4);  // more rows than one tile
    FactorMatrix rows = times(truth, h);
    const NormalEquations equations(h);
    EXPECT_EQ(equations.method(), NormalEquations::Method::cholesky);
    EXPECT_GT(equations.reciprocal_condition(), 1e-4);
    equations.solve(rows, 0, rows.rows());
    EXPECT_LE(test::relative_difference(truth, rows), 1e-10);
  }
}

// ‖H‖₁ and ‖H⁻¹‖₁ by columns; H = QᵀDQ with Q a product of reflections and D from 1 down to 1 / condition.
TEST(NormalEquations, ConditionIsBoundedAndDecidesWhetherToDamp) {
  for (Index rank : {2, 5, 16, 40})
    for (const double condition : {1.0, 1e3, 1e7, 1e10, 1e14}) {
      GramMatrix h(rank);
      for (Index r = 0; r < rank; ++r)
        h(r, r) = std::pow(condition, -static_cast<double>(r) / static_cast<double>(rank - 1));
      for (int reflection = 0; reflection < 3; ++reflection) {
        const FactorMatrix v = test::random_matrix(1, rank, 20 + static_cast<std::uint64_t>(reflection));
        double squares = 0;
        for (Index r = 0; r < rank; ++r) squares += v(0, r) * v(0, r);
        for (const bool rows : {true, false})
          for (Index j = 0; j < rank; ++j) {
            double dot = 0;
            for (Index i = 0; i < rank; ++i) dot += v(0, i) * (rows ? h(j, i) : h(i, j));
            for (Index i = 0; i < rank; ++i) (rows ? h(j, i) : h(i, j)) -= 2 * dot / squares * v(0, i);
          }
      }
      for (Index j = 0; j < rank; ++j)
        for (Index i = 0; i < j; ++i) h(j, i) = h(i, j);
      const NormalEquations equations(h);
      EXPECT_EQ(equations.method() == NormalEquations::Method::cholesky, condition < 1e12) << rank << ' ' << condition;
      if (condition > 1e12) continue;
      FactorMatrix identity(rank, rank);
      for (Index r = 0; r < rank; ++r) identity(r, r) = 1;
      equations.solve(identity, 0, rank);
      double norm = 0, inverse = 0;
      for (Index j = 0; j < rank; ++j) {
        double column = 0, row = 0;
        for (Index i = 0; i < rank; ++i) column += std::abs(h(i, j)), row += std::abs(identity(j, i));
        norm = std::max(norm, column);
        inverse = std::max(inverse, row);
      }
      const double exact = 1 / (norm * inverse);
      const bool certain = condition <= 1e3 && rank <= 5;  // that it is the bound
      EXPECT_LE(equations.reciprocal_condition(), certain ? exact * (1 + 1e-9) : 4 * exact) << rank << ' ' << condition;
      EXPECT_GT(equations.reciprocal_condition(), 1e-12);
    }
}

TEST(NormalEquations, TouchOnlyTheRowsAskedFor) {
  const GramMatrix h = gram_of_rank(3, 3, 1);
  const FactorMatrix before = test::random_matrix(9, 3, 2);
  FactorMatrix rows = before;
  NormalEquations(h).solve(rows, 2, 4);
  for (Index i : {0, 1, 6, 7, 8})
    for (Index r = 0; r < 3; ++r) EXPECT_EQ(rows(i, r), before(i, r));
  EXPECT_NE(rows(2, 0), before(2, 0));
}

// Equal columns make H singular; the residual of the consistent system must vanish all the same, and it is said how.
TEST(NormalEquations, SolveConsistentSingularSystemsAndSayHow) {
  const GramMatrix h = gram_of_rank(6, 4, 7);
  FactorMatrix rows = times(test::random_matrix(20, 6, 8), h);
  const FactorMatrix right = rows;
  const NormalEquations equations(h);
  EXPECT_NE(equations.method(), NormalEquations::Method::cholesky);
  equations.solve(rows, 0, rows.rows());
  EXPECT_LE(test::relative_difference(right, times(rows, h)), 1e-8);
}

TEST(NormalEquations, ZeroMatrixGivesZeroRows) {
  const NormalEquations equations(GramMatrix(3));
  EXPECT_EQ(equations.method(), NormalEquations::Method::zero);
  FactorMatrix rows = test::random_matrix(4, 3, 1);
  equations.solve(rows, 0, 4);
  EXPECT_EQ(test::relative_difference(FactorMatrix(4, 3), rows), 0.0);
}

TEST(NormalEquations, RefuseWhatIsNotFinite) {
  GramMatrix h(2);
  h(0, 0) = std::numeric_limits<double>::infinity();
  EXPECT_THROW(NormalEquations{h}, Error);
}

}  // namespace
}  // namespace tempera
