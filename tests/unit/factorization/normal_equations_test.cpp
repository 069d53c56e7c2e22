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
