#include "core/tensor/dimension_tree.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "core/tensor/mttkrp.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

using test::brute_force_mttkrp;
using test::random_dense;
using test::random_factors;
using test::random_matrix;
using test::relative_difference;

using Versions = std::vector<std::uint64_t>;

Versions versions_of(std::size_t order) {
  Versions versions(order);
  std::iota(versions.begin(), versions.end(), 1);
  return versions;
}

FactorMatrix result_for(const std::vector<Index>& shape, int mode, Index rank) {
  return FactorMatrix(shape[static_cast<std::size_t>(mode)], rank);
}

/// A new factor and its version.
void move(std::vector<FactorMatrix>& factors, Versions& versions, int mode, std::uint64_t seed) {
  FactorMatrix& factor = factors[static_cast<std::size_t>(mode)];
  factor = random_matrix(factor.rows(), factor.columns(), seed);
  versions[static_cast<std::size_t>(mode)] += 100;
}

bool same_bits(const FactorMatrix& a, const FactorMatrix& b) {
  return std::equal(a.storage().begin(), a.storage().end(), b.storage().begin(), b.storage().end());
}

const std::vector<std::vector<Index>> kShapes = {
    {4, 3},       {1, 5},          {5, 1, 6},       {3, 4, 5},          {40, 2, 3},           {2, 3, 70},
    {2, 60, 3},   {3, 4, 2, 5},    {1, 1, 6, 1},    {2, 3, 2, 3, 4},    {7, 1, 2, 2, 3},      {2, 2, 3, 1, 2, 3},
    {33, 17, 19}, {530, 3, 2, 21}, {2, 1100, 3, 4}, {1, 1, 1, 1, 1, 1}, {2, 2, 2, 2, 2, 2, 2}};

TEST(DimensionTree, SweepsMatchBruteForceForEveryShapeAndRank) {
  std::uint64_t seed = 1;
  for (const auto& shape : kShapes)
    for (Index rank : {1, 2, 3, 4, 7, 8, 9, 16, 24, 33, 70}) {
      const DenseTensor tensor = random_dense(shape, ++seed);
      auto factors = random_factors(shape, rank, seed);
      Versions versions = versions_of(shape.size());
      DimensionTree tree(shape, rank);
      for (int sweep = 0; sweep < 2; ++sweep)
        for (int mode = 0; mode < tensor.order(); ++mode) {
          FactorMatrix result = result_for(shape, mode, rank);
          tree.mttkrp(tensor, factors, versions, mode, result);
          ASSERT_LE(relative_difference(brute_force_mttkrp(tensor, factors, mode), result), 1e-12)
              << "order " << tensor.order() << " mode " << mode << " rank " << rank << " seed " << seed;
          move(factors, versions, mode, ++seed);
        }
    }
}

TEST(DimensionTree, MakesTwoProductsFromTheCellsInASweep) {
  const Index rank = 3;
  for (const std::vector<Index>& shape :
       std::vector<std::vector<Index>>{{5, 6}, {4, 5, 6}, {3, 4, 5, 2}, {2, 3, 4, 3, 2}}) {
    const DenseTensor tensor = random_dense(shape, 5);
    auto factors = random_factors(shape, rank, 5);
    Versions versions = versions_of(shape.size());
    DimensionTree tree(shape, rank);
    for (int sweep = 1; sweep <= 3; ++sweep) {
      for (int mode = 0; mode < tensor.order(); ++mode) {
        FactorMatrix result = result_for(shape, mode, rank);
        tree.mttkrp(tensor, factors, versions, mode, result);
        move(factors, versions, mode, static_cast<std::uint64_t>(10 * sweep + mode));
      }
      EXPECT_EQ(tree.work().from_cells, 2 * sweep);
      // Every other node of a binary tree with N leaves, the root and its two children aside.
      EXPECT_EQ(tree.work().from_products, sweep * (2 * tensor.order() - 4));
    }
  }
}

// Picture of {3, 4, 5, 6}:    cells
//                           /       \.
//                       (0 1)       (2 3)
//                       /  \        /   \.
//                      0    1      2     3
TEST(DimensionTree, ANodeIsMadeAgainExactlyWhenAFactorItWasMadeOfHasMoved) {
  const std::vector<Index> shape{3, 4, 5, 6};
  const DenseTensor tensor = random_dense(shape, 9);
  auto factors = random_factors(shape, 2, 9);
  Versions versions = versions_of(4);
  DimensionTree tree(shape, 2);
  const auto made = [&](int mode) {
    const Index before = tree.work().from_cells;
    FactorMatrix result = result_for(shape, mode, 2);
    tree.mttkrp(tensor, factors, versions, mode, result);
    EXPECT_LE(relative_difference(brute_force_mttkrp(tensor, factors, mode), result), 1e-12);
    return tree.work().from_cells - before;
  };
  EXPECT_EQ(made(0), 1);
  EXPECT_EQ(made(1), 0);
  EXPECT_EQ(made(0), 0);
  move(factors, versions, 0, 1);  // not an operand of (0 1)
  EXPECT_EQ(made(1), 0);
  move(factors, versions, 3, 2);  // an extrapolation, say: out of the order of the sweep
  EXPECT_EQ(made(1), 1);
  move(factors, versions, 2, 3);
  EXPECT_EQ(made(0), 1);
  EXPECT_EQ(made(2), 1);
  EXPECT_EQ(made(3), 0);
  EXPECT_EQ(made(1), 1);  // its memory had gone to (2 3)
  EXPECT_EQ(made(2), 1);
}

TEST(DimensionTree, BitsDependNeitherOnWhatWasKeptNorOnThreads) {
  for (const std::vector<Index>& shape :
       std::vector<std::vector<Index>>{{60, 70, 50}, {20, 30, 5, 31}, {9, 300, 11, 4, 3}})
    for (Index rank : {3, 10, 40}) {
      const DenseTensor tensor = random_dense(shape, 3);
      const auto factors = random_factors(shape, rank, 3);
      const Versions versions = versions_of(shape.size());
      DimensionTree kept(shape, rank);
      for (int mode = 0; mode < tensor.order(); ++mode) {
        DimensionTree empty(shape, rank);
        FactorMatrix a = result_for(shape, mode, rank), b = a, one = a, four = a;
        kept.mttkrp(tensor, factors, versions, mode, a, 1);
        empty.mttkrp(tensor, factors, versions, mode, b, 3);
        EXPECT_TRUE(same_bits(a, b)) << "mode " << mode << " rank " << rank;
        mttkrp(tensor, factors, mode, one, 1);
        mttkrp(tensor, factors, mode, four, 4);
        EXPECT_TRUE(same_bits(one, four)) << "mode " << mode << " rank " << rank;
      }
    }
}

TEST(DimensionTree, MemoryIsBoundedByTheBlockAndWithoutItEachModeComesFromTheCells) {
  const std::vector<Index> shape{120, 110, 130};
  const Index cells = 120 * 110 * 130;
  EXPECT_EQ(DimensionTree::bytes(shape, 64), 120 * 110 * 64 * 8);
  EXPECT_EQ(DimensionTree::bytes(shape, 200), 0);
  for (Index rank = 1; rank < 400; rank += 7) {
    const std::int64_t bytes = DimensionTree::bytes(shape, rank);
    EXPECT_LE(bytes, std::max<std::int64_t>(cells * 8, std::int64_t{16} << 20) / rank * padded_columns(rank)) << rank;
    EXPECT_EQ(bytes, DimensionTree(shape, rank).bytes());
  }
  const DenseTensor tensor = random_dense(shape, 2);
  const auto factors = random_factors(shape, 200, 2);
  DimensionTree tree(shape, 200);
  for (int mode = 0; mode < 3; ++mode) {
    FactorMatrix result = result_for(shape, mode, 200), alone = result;
    tree.mttkrp(tensor, factors, versions_of(3), mode, result);
    mttkrp(tensor, factors, mode, alone);
    EXPECT_TRUE(same_bits(result, alone));
  }
  EXPECT_EQ(tree.work().from_cells, 3);
}

}  // namespace
}  // namespace tempera
