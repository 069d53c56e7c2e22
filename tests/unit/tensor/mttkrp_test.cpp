#include "core/tensor/mttkrp.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/tensor/csf_set.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

using test::brute_force_mttkrp;
using test::filled;
using test::random_dense;
using test::random_factors;
using test::random_sparse;
using test::relative_difference;

struct Case {
  std::vector<Index> shape;
  Index nonzeros;
};

// Sizes 1, empty slices (more indices than nonzeros), full tensors, every order.
const std::vector<Case> kCases = {
    {{1, 1}, 1},
    {{5, 3}, 7},
    {{1, 6}, 4},
    {{40, 30}, 5},
    {{3, 4, 5}, 60},
    {{3, 4, 5}, 11},
    {{1, 7, 2}, 9},
    {{50, 1, 60}, 20},
    {{2, 3, 4, 5}, 50},
    {{6, 1, 1, 7}, 20},
    {{20, 30, 2, 9}, 15},
    {{3, 2, 4, 2, 3}, 70},
    {{9, 9, 9, 9, 9}, 6},
    {{2, 3, 2, 2, 3, 2}, 60},
    {{2, 2, 3, 1, 2, 2, 3}, 50},
    {{2, 2, 2, 2, 2, 2, 2, 2}, 100},
};
const std::vector<Index> kRanks = {1, 2, 3, 4, 7, 8, 9, 16, 24, 33, 40};

TEST(Mttkrp, CsfMatchesBruteForceForEveryModeOrderAndShape) {
  std::uint64_t seed = 1;
  for (const Case& c : kCases)
    for (Index rank : kRanks) {
      const SparseTensor tensor = random_sparse(c.shape, c.nonzeros, ++seed);
      const auto factors = random_factors(c.shape, rank, seed);
      const DenseTensor dense = filled(tensor);
      for (CsfPolicy policy : {CsfPolicy::one, CsfPolicy::two, CsfPolicy::all}) {
        const CsfSet set(NonzeroList(tensor), policy);
        for (int mode = 0; mode < tensor.order(); ++mode) {
          FactorMatrix result(c.shape[static_cast<std::size_t>(mode)], rank);
          mttkrp(set, factors, mode, result, 1 + static_cast<int>(seed % 3));
          ASSERT_LE(relative_difference(brute_force_mttkrp(dense, factors, mode), result), 1e-12)
              << "order " << tensor.order() << " mode " << mode << " rank " << rank << " seed " << seed;
        }
      }
    }
}

// Many columns over few rows go in panels of 32; threads share each panel.
TEST(Mttkrp, ManyColumnsOverFewRowsMatchBruteForce) {
  const std::vector<Index> shape{12, 15, 18};
  const SparseTensor tensor = random_sparse(shape, 6000, 21);
  ASSERT_GE(NonzeroList(tensor).size(), 64 * (12 + 15 + 18) / 2);
  for (const Index rank : {32, 33, 64, 71}) {
    const auto factors = random_factors(shape, rank, 22);
    for (const int threads : {1, 2}) {
      const CsfSet set(NonzeroList(tensor), CsfPolicy::two);
      for (int mode = 0; mode < 3; ++mode) {
        FactorMatrix result(shape[static_cast<std::size_t>(mode)], rank);
        mttkrp(set, factors, mode, result, threads);
        ASSERT_LE(relative_difference(brute_force_mttkrp(filled(tensor), factors, mode), result), 1e-12)
            << "mode " << mode << " rank " << rank;
      }
    }
  }
}

/// The rows from `first` on are as in `whole`, bit for bit.
void expect_final_rows(const FactorMatrix& whole, const FactorMatrix& now, Index first) {
  for (Index i = first; i < whole.rows(); ++i)
    for (Index r = 0; r < whole.columns(); ++r) ASSERT_EQ(now(i, r), whole(i, r)) << "row " << i << " from " << first;
}

TEST(Mttkrp, RowsThatAreAskedForFirstAreFinalWhenTheyAreSaidToBe) {
  const std::vector<Index> shape{17, 15, 18};
  const CsfSet set(NonzeroList(random_sparse(shape, 9000, 23)), CsfPolicy::all);
  for (const Index rank : {5, 71})  // one panel, three panels
    for (const int threads : {1, 3})
      for (const Index first : {0, 1, 9, 16, 17}) {
        const auto factors = random_factors(shape, rank, 24);
        FactorMatrix whole(17, rank), result(17, rank);
        mttkrp(set, factors, 0, whole);
        int ready = 0, looks = 0;
        const RowProgress progress{first,
                                   [&] {
                                     ++ready;
                                     expect_final_rows(whole, result, first);
                                   },
                                   [&] { looks += ready; }};
        mttkrp(set, factors, 0, result, threads, &progress);
        EXPECT_EQ(ready, first > 0 ? 1 : 0);
        EXPECT_EQ(looks > 0, first > 0);
        expect_final_rows(whole, result, 0);
      }
}

TEST(Mttkrp, EveryTreeServesEveryMode) {
  const std::vector<Index> shape{4, 3, 5, 2};
  const SparseTensor tensor = random_sparse(shape, 40, 3);
  const auto factors = random_factors(shape, 5, 3);
  std::vector<int> order(4);
  std::iota(order.begin(), order.end(), 0);
  do {
    for (const double long_fibre : {1.0, 2.0, 1e9}) {
      const CsfTensor tree = NonzeroList(tensor).build(order, long_fibre);
      for (int mode = 0; mode < 4; ++mode) {
        FactorMatrix result(shape[static_cast<std::size_t>(mode)], 5);
        mttkrp(tree, factors, mode, result);
        ASSERT_LE(relative_difference(brute_force_mttkrp(filled(tensor), factors, mode), result), 1e-12);
      }
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Mttkrp, CoordinateFormMatchesBruteForce) {
  for (const Case& c : kCases) {
    const SparseTensor tensor = random_sparse(c.shape, c.nonzeros, 11);
    const auto factors = random_factors(c.shape, 3, 11);
    for (int mode = 0; mode < tensor.order(); ++mode) {
      FactorMatrix result(c.shape[static_cast<std::size_t>(mode)], 3);
      mttkrp(tensor, factors, mode, result);
      ASSERT_LE(relative_difference(brute_force_mttkrp(filled(tensor), factors, mode), result), 1e-12);
    }
  }
}

TEST(Mttkrp, DenseMatchesBruteForceForEveryModeOrderAndShape) {
  std::uint64_t seed = 100;
  for (const Case& c : kCases) {
    if (c.shape.size() == 5 && c.shape[0] == 9) continue;
    for (Index rank : {1, 3, 8, 17}) {
      const DenseTensor tensor = random_dense(c.shape, ++seed);
      const auto factors = random_factors(c.shape, rank, seed);
      for (int mode = 0; mode < tensor.order(); ++mode) {
        FactorMatrix result(c.shape[static_cast<std::size_t>(mode)], rank);
        mttkrp(tensor, factors, mode, result);
        ASSERT_LE(relative_difference(brute_force_mttkrp(tensor, factors, mode), result), 1e-12)
            << "order " << tensor.order() << " mode " << mode << " rank " << rank;
      }
    }
  }
}

TEST(Mttkrp, InnerProductIsTheSameFromEveryMode) {
  const std::vector<Index> shape{7, 5, 6};
  const auto factors = random_factors(shape, 4, 5);
  const CsfSet set(NonzeroList(random_sparse(shape, 60, 5)), CsfPolicy::all);
  std::vector<double> inner;
  for (int mode = 0; mode < 3; ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    FactorMatrix result(shape[m], 4);
    mttkrp(set, factors, mode, result);
    inner.push_back(
        std::inner_product(result.storage().begin(), result.storage().end(), factors[m].storage().begin(), 0.0));
  }
  EXPECT_NEAR(inner[0], inner[1], 1e-12 * std::abs(inner[0]));
  EXPECT_NEAR(inner[0], inner[2], 1e-12 * std::abs(inner[0]));
}

TEST(Mttkrp, BitsDoNotDependOnThreads) {
  const std::vector<Index> shape{300, 200, 100};
  const auto factors = random_factors(shape, 16, 7);
  const CsfSet set(NonzeroList(random_sparse(shape, 20000, 7)), CsfPolicy::all);
  for (int mode = 0; mode < 3; ++mode) {
    FactorMatrix one(shape[static_cast<std::size_t>(mode)], 16), four = one;
    mttkrp(set, factors, mode, one, 1);
    mttkrp(set, factors, mode, four, 4);
    EXPECT_EQ(relative_difference(one, four), 0.0);
  }
}

TEST(ResidualSums, EqualTheDirectSumOverStoredCells) {
  for (const Case& c : kCases) {
    const SparseTensor tensor = random_sparse(c.shape, c.nonzeros, 21);
    KruskalTensor model{{2.0, -0.5, 1.5}, random_factors(c.shape, 3, 22)};
    double residual = 0, squared = 0;
    std::vector<Index> cell(c.shape.size());
    for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k) {
      for (int mode = 0; mode < tensor.order(); ++mode) cell[static_cast<std::size_t>(mode)] = tensor.indices(mode)[k];
      const double m = model(cell);
      residual += (tensor.values()[k] - m) * (tensor.values()[k] - m);
      squared += m * m;
    }
    const CsfSet set(NonzeroList(tensor), CsfPolicy::one);
    const ResidualSums sums = residual_sums(set.trees().front(), model.factors, model.weights);
    EXPECT_NEAR(sums.residual_squared, residual, 1e-12 * residual);
    EXPECT_NEAR(sums.model_squared, squared, 1e-12 * squared + 1e-300);

    if (c.shape.size() == 5 && c.shape[0] == 9) continue;
    const DenseTensor dense = filled(tensor);
    const ResidualSums of_dense = residual_sums(dense, model.factors, model.weights);
    double dense_residual = 0;
    std::fill(cell.begin(), cell.end(), 0);
    do dense_residual += std::pow(dense(cell) - model(cell), 2);
    while (next_cell(cell, c.shape));
    EXPECT_NEAR(of_dense.residual_squared, dense_residual, 1e-12 * dense_residual);
  }
}

}  // namespace
}  // namespace tempera
