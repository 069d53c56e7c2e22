#include "core/factorization/row_sums.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/simd.hpp"
#include "core/factorization/detail/row_kernels.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

GramMatrix well_conditioned(Index rank) {
  const FactorMatrix k = test::random_matrix(3 * rank + 5, rank, 11);
  return gram(k, 0, k.rows());
}

/// Those that this processor can run.
std::vector<std::pair<std::string, detail::RowKernels>> all_kernels() {
  std::vector<std::pair<std::string, detail::RowKernels>> kernels{{"baseline", simd::baseline::row_kernels()}};
#if defined(__x86_64__)
  if (simd_level() >= SimdLevel::avx2) kernels.emplace_back("avx2", simd::avx2::row_kernels());
  if (simd_level() >= SimdLevel::avx512) kernels.emplace_back("avx512", simd::avx512::row_kernels());
#endif
  return kernels;
}

// R is given by a formula, U at random, and M = U RᵀR by loops.
TEST(RowKernels, SolveWithAKnownTriangleAtEveryLevelAndLength) {
  for (const auto& [level, kernels] : all_kernels())
    for (Index size : {8, 16, 24}) {
      // R(k, j) = 1 + k / 100 on the diagonal, 0.1 (j − k) / size above it.
      const auto factor = [&](Index k, Index j) {
        return k > j ? 0.0 : k == j ? 1 + 0.01 * static_cast<double>(k) : 0.1 * static_cast<double>(j - k) / size;
      };
      std::vector<double> forward, backward, reciprocals;
      for (Index block = 0; block < size; block += 8) {
        for (Index k = 0; k < block + 8; ++k)
          for (Index b = block; b < block + 8; ++b) forward.push_back(factor(k, b));
        for (Index k = block; k < size; ++k)
          for (Index b = block; b < block + 8; ++b) backward.push_back(factor(b, k));
      }
      for (Index k = 0; k < size; ++k) reciprocals.push_back(1 / factor(k, k));
      const detail::PackedTriangle triangle{size, forward.data(), backward.data(), reciprocals.data()};
      for (Index count : {1, 3, 7, 8, 9, 21}) {
        const FactorMatrix truth = test::random_matrix(count, size, 5);
        FactorMatrix rows(count, size), scratch(size, 8);
        for (Index i = 0; i < count; ++i)
          for (Index a = 0; a < size; ++a)
            for (Index b = 0; b < size; ++b)
              for (Index k = 0; k < size; ++k) rows(i, a) += truth(i, b) * factor(k, b) * factor(k, a);
        kernels.solve_rows(triangle, rows.data(), rows.data(), rows.stride(), count, scratch.data());
        EXPECT_LE(test::relative_difference(truth, rows), 1e-13) << level << " size " << size << " rows " << count;
      }
    }
}

TEST(RowKernels, DotsAndScalesEqualLoopsAtEveryLevel) {
  for (const auto& [level, kernels] : all_kernels())
    for (Index rank : {1, 2, 3, 5, 16, 31, 40}) {
      const FactorMatrix a = test::random_matrix(37, rank, 1), b = test::random_matrix(37, rank, 2);
      std::vector<double> sums(static_cast<std::size_t>(a.stride()), 0.5);
      kernels.add_column_dots(a.data(), b.data(), a.stride(), a.rows(), sums.data());
      FactorMatrix scaled = a;
      kernels.scale_columns(scaled.data(), b.data(), a.stride(), a.rows());
      for (Index r = 0; r < rank; ++r) {
        double expected = 0.5;
        for (Index i = 0; i < a.rows(); ++i) {
          expected += a(i, r) * b(i, r);
          EXPECT_DOUBLE_EQ(scaled(i, r), a(i, r) * b(0, r));
        }
        EXPECT_NEAR(sums[static_cast<std::size_t>(r)], expected, 1e-12) << level << " rank " << rank;
      }
    }
}

TEST(RowSums, SolvingSumsWhatItSolved) {
  for (Index rank : {1, 3, 8, 16, 17}) {
    const GramMatrix h = well_conditioned(rank);
    const NormalEquations equations(h);
    const FactorMatrix product = test::random_matrix(600, rank, 9);  // more than two tiles
    FactorMatrix factor(600, rank), expected = product;
    RowSums sums(rank), again(rank);
    solve_rows(equations, product, factor, 5, 590, sums);
    equations.solve(expected, 5, 590);
    add_row_sums(product, factor, 5, 590, again);
    const GramMatrix direct = gram(factor, 5, 590);
    for (Index i = 0; i < 600; ++i)
      for (Index r = 0; r < rank; ++r) EXPECT_EQ(factor(i, r), i >= 5 && i < 595 ? expected(i, r) : 0.0);
    for (Index j = 0; j < rank; ++j) {
      double inner = 0;
      for (Index i = 5; i < 595; ++i) inner += product(i, j) * factor(i, j);
      EXPECT_NEAR(sums.inner[static_cast<std::size_t>(j)], inner, 1e-12 * std::abs(inner) + 1e-12);
      EXPECT_EQ(sums.inner, again.inner);
      for (Index i = 0; i < rank; ++i) {
        EXPECT_NEAR(sums.gram(i, j), direct(i, j), 1e-12 * direct(j, j) + 1e-14);
        EXPECT_EQ(sums.gram(i, j), again.gram(i, j));
      }
    }
  }
}

// Several pieces and waves of them, the last of both incomplete.
TEST(RowSums, BitsDoNotDependOnTheNumberOfThreads) {
  for (Index rank : {3, 16}) {  // 442 000 numbers to scale at rank 16: more than one piece
    const Index rows = 27 * kSumRows + 77, first = 5, count = rows - 8;
    const NormalEquations equations(well_conditioned(rank));
    const FactorMatrix product = test::random_matrix(rows, rank, 9);
    const std::vector<double> scale(static_cast<std::size_t>(rank), 1.7);
    FactorMatrix factor(rows, rank);
    RowSums sums(rank);
    solve_rows(equations, product, factor, first, count, sums);
    FactorMatrix scaled = factor;
    scale_columns(scaled, scale);
    for (const int threads : {2, 3, 5}) {
      FactorMatrix other(rows, rank);
      RowSums solved(rank), added(rank);
      solve_rows(equations, product, other, first, count, solved, threads);
      add_row_sums(product, other, first, count, added, threads);
      EXPECT_TRUE(std::ranges::equal(other.storage(), factor.storage())) << threads << " threads, rank " << rank;
      for (const RowSums* found : {&solved, &added}) {
        EXPECT_EQ(found->gram.values, sums.gram.values) << threads << " threads, rank " << rank;
        EXPECT_EQ(found->inner, sums.inner) << threads << " threads, rank " << rank;
      }
      scale_columns(other, scale, threads);
      EXPECT_TRUE(std::ranges::equal(other.storage(), scaled.storage())) << threads << " threads, rank " << rank;
    }
    const GramMatrix direct = gram(factor, first, count);
    for (Index k = 0; k < rank * rank; ++k) {
      const auto at = static_cast<std::size_t>(k);
      EXPECT_NEAR(sums.gram.values[at], direct.values[at], 1e-11 * direct(k % rank, k % rank));
    }
  }
}

}  // namespace
}  // namespace tempera
