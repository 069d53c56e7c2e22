#include "core/tensor/fibre_products.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "core/tensor/csf_set.hpp"
#include "core/tensor/mttkrp.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

using test::brute_force_mttkrp;
using test::filled;
using test::random_factors;
using test::random_sparse;
using test::relative_difference;

/// Factors whose rows move as sweeps move them, with their versions.
struct Moving {
  std::vector<FactorMatrix> factors;
  std::vector<std::uint64_t> versions;

  Moving(const std::vector<Index>& shape, Index rank)
      : factors(random_factors(shape, rank, 3)), versions(shape.size()) {
    std::iota(versions.begin(), versions.end(), std::uint64_t{1});
  }
  void move(std::size_t mode) {
    for (Index i = 0; i < factors[mode].rows(); ++i)
      for (Index r = 0; r < factors[mode].columns(); ++r) factors[mode](i, r) = 0.9 * factors[mode](i, r) + 0.01;
    versions[mode] += 100;
  }
};

struct Case {
  std::vector<Index> shape;
  Index nonzeros;
  std::pair<int, int> shared;  ///< root of the tree first
};

// The pair holds the shortest mode; it may be the last and the first.
const std::vector<Case> kCases = {
    {{3, 4, 90}, 700, {0, 1}},
    {{90, 4, 3}, 700, {2, 1}},
    {{5, 60, 50, 3}, 2500, {3, 0}},
    {{40, 3, 5, 50, 6}, 3000, {1, 2}},
};

TEST(FibreProducts, SweepsMatchBruteForceAndReadTheNonzerosOnceForTwoModes) {
  for (const Case& c : kCases)
    for (const Index rank : {1, 7, 16, 40, 72}) {
      const SparseTensor tensor = random_sparse(c.shape, c.nonzeros, 5);
      const DenseTensor dense = filled(tensor);
      const CsfSet trees(NonzeroList(tensor), CsfPolicy::all);
      FibreProducts products(trees, rank);
      ASSERT_EQ(products.shared_modes(), c.shared) << "order " << c.shape.size();
      Moving moving(c.shape, rank);
      const int order = static_cast<int>(c.shape.size());
      for (int sweep = 0; sweep < 3; ++sweep)
        for (int mode = 0; mode < order; ++mode) {
          const auto m = static_cast<std::size_t>(mode);
          FactorMatrix result(c.shape[m], rank), anew(c.shape[m], rank);
          products.mttkrp(moving.factors, moving.versions, mode, result, 1 + sweep);
          ASSERT_LE(relative_difference(brute_force_mttkrp(dense, moving.factors, mode), result), 1e-12)
              << "order " << order << " mode " << mode << " rank " << rank << " sweep " << sweep;
          FibreProducts(trees, rank).mttkrp(moving.factors, moving.versions, mode, anew);
          ASSERT_TRUE(std::equal(result.storage().begin(), result.storage().end(), anew.storage().begin()))
              << "the bits do not depend on what was kept";
          moving.move(m);
        }
      const bool over_the_end = std::abs(c.shared.first - c.shared.second) > 1;  // the first sweep begins in mid-pair
      EXPECT_EQ(products.passes(), over_the_end ? 4 : 3);
    }
}

TEST(FibreProducts, AreStaleWhenAnyOtherFactorMoves) {
  const std::vector<Index> shape{3, 4, 30, 20};
  const CsfSet trees(NonzeroList(random_sparse(shape, 900, 2)), CsfPolicy::all);
  FibreProducts products(trees, 4);
  ASSERT_EQ(products.shared_modes(), std::pair(0, 1));
  Moving moving(shape, 4);
  const auto passes_after = [&](int mode) {
    FactorMatrix result(shape[static_cast<std::size_t>(mode)], 4);
    products.mttkrp(moving.factors, moving.versions, mode, result);
    return products.passes();
  };
  EXPECT_EQ(passes_after(0), 1);
  moving.move(0);
  moving.move(1);
  EXPECT_EQ(passes_after(1), 1);
  EXPECT_EQ(passes_after(2), 1) << "other modes have passes of their own";
  moving.move(3);
  EXPECT_EQ(passes_after(1), 2);
  EXPECT_EQ(passes_after(0), 2);
  moving.move(2);
  EXPECT_EQ(passes_after(0), 3);
}

TEST(FibreProducts, NothingIsKeptWhereItWouldNotPay) {
  // Fibres of one nonzero; then no third mode.
  const CsfSet scattered(NonzeroList(random_sparse({300, 200, 400}, 500, 2)), CsfPolicy::all);
  EXPECT_EQ(FibreProducts(scattered, 8).shared_modes(), std::nullopt);
  EXPECT_EQ(FibreProducts::bytes(scattered, 8), 0);
  const CsfSet matrix(NonzeroList(random_sparse({5, 6}, 30, 2)), CsfPolicy::all);
  EXPECT_EQ(FibreProducts(matrix, 8).shared_modes(), std::nullopt);
  // Ten nonzeros a node: less to read in a second pass than in what would be kept.
  const CsfSet few(NonzeroList(random_sparse({3, 4, 10}, 120, 2)), CsfPolicy::all);
  EXPECT_EQ(FibreProducts(few, 8).shared_modes(), std::nullopt);
  // 12 nodes would take more than the trees of 600 nonzeros.
  const CsfSet small(NonzeroList(random_sparse({3, 4, 50}, 600, 2)), CsfPolicy::all);
  EXPECT_NE(FibreProducts(small, 8).shared_modes(), std::nullopt);
  EXPECT_EQ(FibreProducts(small, 4000).shared_modes(), std::nullopt);
}

TEST(FibreProducts, AnEmptyTensorGivesZeros) {
  const CsfSet trees(NonzeroList(SparseTensor({3, 4, 5})), CsfPolicy::all);
  FibreProducts products(trees, 2);
  const Moving moving({3, 4, 5}, 2);
  FactorMatrix result(4, 2);
  products.mttkrp(moving.factors, moving.versions, 1, result);
  for (const double value : result.storage()) EXPECT_EQ(value, 0.0);
}

}  // namespace
}  // namespace tempera
