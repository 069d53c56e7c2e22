#include "core/tensor/count_products.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/tensor/csf_set.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

/// Counts with many zeros, positive factors.
struct Case {
  std::vector<Index> shape;
  Index rank;
  SparseTensor sparse;
  DenseTensor dense;
  std::vector<FactorMatrix> factors;
};

Case counts(std::vector<Index> shape, Index rank, std::uint64_t seed) {
  Case result{shape, rank, test::random_sparse(shape, 1 + static_cast<Index>(cell_count(shape) / 3), seed), {}, {}};
  for (double& value : result.sparse.values()) value = std::floor(4 * std::abs(value));  // some zeros are stored
  result.dense = test::filled(result.sparse);
  result.factors = test::random_factors(shape, rank, seed);
  for (FactorMatrix& factor : result.factors)
    for (Index i = 0; i < factor.rows(); ++i)
      for (Index r = 0; r < rank; ++r) factor(i, r) = std::abs(factor(i, r)) + 0.01;
  return result;
}

/// By the definition, over all cells.
FactorMatrix direct_products(const Case& data, int mode, CountContent content) {
  const Index rank = data.rank;
  FactorMatrix result(data.shape[static_cast<std::size_t>(mode)], count_columns(rank, content));
  std::vector<Index> cell(data.shape.size(), 0);
  do {
    const double x = data.dense(cell);
    if (x == 0) continue;
    std::vector<double> pi(static_cast<std::size_t>(rank), 1.0);
    double m = 0;
    for (Index r = 0; r < rank; ++r) {
      auto& product = pi[static_cast<std::size_t>(r)];
      for (std::size_t other = 0; other < cell.size(); ++other)
        if (static_cast<int>(other) != mode) product *= data.factors[other](cell[other], r);
      m += product * data.factors[static_cast<std::size_t>(mode)](cell[static_cast<std::size_t>(mode)], r);
    }
    double* row = result.row(cell[static_cast<std::size_t>(mode)]);
    Index packed = rank;
    for (Index r = 0; r < rank; ++r) {
      row[r] += x / m * pi[static_cast<std::size_t>(r)];
      for (Index s = 0; content == CountContent::with_hessian && s <= r; ++s)
        row[packed++] += x / (m * m) * pi[static_cast<std::size_t>(r)] * pi[static_cast<std::size_t>(s)];
    }
  } while (next_cell(cell, data.shape));
  return result;
}

const std::vector<std::vector<Index>> kShapes{{5, 4},       {1, 6},          {7, 1, 3},         {6, 5, 4},
                                              {4, 3, 5, 2}, {2, 1, 3, 1, 2}, {3, 2, 2, 3, 2, 2}};

TEST(CountProducts, MatchBruteForceForEveryModeShapeRankAndStorage) {
  std::uint64_t seed = 70;
  for (const auto& shape : kShapes)
    for (Index rank : {1, 2, 3, 5, 8, 11}) {
      const Case data = counts(shape, rank, ++seed);
      for (int mode = 0; mode < static_cast<int>(shape.size()); ++mode)
        for (CountContent content : {CountContent::gradient, CountContent::with_hessian}) {
          const FactorMatrix expected = direct_products(data, mode, content);
          FactorMatrix found(expected.rows(), expected.columns());
          count_products(data.dense, data.factors, mode, content, found, 2);
          EXPECT_LE(test::relative_difference(expected, found), 1e-13) << "dense, seed " << seed << " mode " << mode;
          for (CsfPolicy policy : {CsfPolicy::one, CsfPolicy::two, CsfPolicy::all}) {
            NonzeroList list(data.sparse);
            list.sum_duplicates();
            const CsfSet trees(std::move(list), policy);
            for (int threads : {1, 3}) {
              count_products(trees.tree_for(mode), data.factors, mode, content, found, threads);
              EXPECT_LE(test::relative_difference(expected, found), 1e-13)
                  << "sparse, seed " << seed << " mode " << mode;
            }
          }
        }
    }
}

/// Sums over the nonzeros as they are listed, zeros too, without any model.
FactorMatrix direct_moments(const Case& data, int mode, CountContent content) {
  FactorMatrix result(data.shape[static_cast<std::size_t>(mode)], count_columns(data.rank, content));
  for (std::size_t k = 0; k < static_cast<std::size_t>(data.sparse.nonzeros()); ++k) {
    std::vector<double> pi(static_cast<std::size_t>(data.rank), 1.0);
    for (Index r = 0; r < data.rank; ++r)
      for (int other = 0; other < data.sparse.order(); ++other)
        if (other != mode)
          pi[static_cast<std::size_t>(r)] *=
              data.factors[static_cast<std::size_t>(other)](data.sparse.indices(other)[k], r);
    double* row = result.row(data.sparse.indices(mode)[k]);
    Index packed = data.rank;
    for (std::size_t r = 0; r < pi.size(); ++r) {
      row[r] += content == CountContent::sums ? pi[r] : data.sparse.values()[k] * pi[r];
      for (std::size_t s = 0; content == CountContent::normal_equations && s <= r; ++s) row[packed++] += pi[r] * pi[s];
    }
  }
  return result;
}

TEST(CountProducts, SumsWithoutAModelAreThoseOverTheStoredCellsZerosToo) {
  std::uint64_t seed = 270;
  for (const auto& shape : kShapes)
    for (Index rank : {1, 3, 8, 11}) {
      Case data = counts(shape, rank, ++seed);
      for (std::size_t k = 0; k < data.sparse.values().size(); k += 2) data.sparse.values()[k] *= -1;
      for (int mode = 0; mode < data.sparse.order(); ++mode)
        for (CountContent content : {CountContent::sums, CountContent::normal_equations}) {
          const FactorMatrix expected = direct_moments(data, mode, content);
          FactorMatrix found(expected.rows(), expected.columns());
          for (CsfPolicy policy : {CsfPolicy::one, CsfPolicy::two, CsfPolicy::all}) {
            NonzeroList list(data.sparse);
            list.sum_duplicates();
            const CsfSet trees(std::move(list), policy);
            count_products(trees.tree_for(mode), data.factors, mode, content, found, 2);
            EXPECT_LE(test::relative_difference(expected, found), 1e-13) << "seed " << seed << " mode " << mode;
          }
        }
    }
}

TEST(CountProducts, SumsAreThoseOverTheStoredCells) {
  std::uint64_t seed = 170;
  for (const auto& shape : kShapes) {
    const Case data = counts(shape, 3, ++seed);
    const std::vector<double> weights{2.0, 0.5, 1.0};
    const KruskalTensor model{weights, data.factors};
    double deviance = 0, total = 0, inner = 0;
    std::vector<Index> cell(shape.size(), 0);
    do {
      const double x = data.dense(cell), m = model(cell);
      deviance += (x > 0 ? x * std::log(x / m) : 0.0) - x + m;
      total += m;
      inner += x * m;
    } while (next_cell(cell, shape));
    const CountSums dense = count_sums(data.dense, data.factors, weights);
    EXPECT_NEAR(dense.deviance, deviance, 1e-12 * deviance);
    EXPECT_NEAR(dense.model, total, 1e-12 * total);
    EXPECT_NEAR(dense.inner_product, inner, 1e-12 * inner);
    NonzeroList list(data.sparse);
    list.sum_duplicates();
    const CsfSet trees(std::move(list), CsfPolicy::one);
    const CountSums sparse = count_sums(trees.trees().front(), data.factors, weights);
    EXPECT_NEAR(sparse.inner_product, inner, 1e-12 * inner);
    EXPECT_NEAR(sparse.deviance + (total - sparse.model), deviance, 1e-12 * deviance);
  }
}

// x log(x/m) − x + m of two terms near 1e6 each that agree to 1e-9 keeps its digits.
TEST(CountProducts, DevianceOfACellCloseToItsModelDoesNotCancel) {
  DenseTensor x({1, 1});
  x.values()[0] = 1e6;
  const double epsilon = 1e-5;
  std::vector<FactorMatrix> factors(2, FactorMatrix(1, 1));
  factors[0](0, 0) = 1e6;
  factors[1](0, 0) = 1 + epsilon;
  const double series = 1e6 * (epsilon * epsilon / 2 - epsilon * epsilon * epsilon / 3);
  EXPECT_NEAR(count_sums(x, factors, std::vector<double>{1.0}).deviance, series, 1e-6 * series);
}

}  // namespace
}  // namespace tempera
