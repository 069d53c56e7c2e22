#include "core/tensor/cell_sums.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/tensor/nonzero_list.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

constexpr CellFunction kFunctions[] = {CellFunction::residual, CellFunction::counts, CellFunction::logarithm,
                                       CellFunction::product,  CellFunction::square, CellFunction::model};

double function_at(CellFunction function, double x, double m) {
  switch (function) {
    case CellFunction::residual: return -0.5 * (x - m) * (x - m);
    case CellFunction::counts: return (x > 0 ? x * std::log(m) : 0) - m;
    case CellFunction::logarithm: return x > 0 ? x * std::log(m) : 0;
    case CellFunction::product: return x * m;
    case CellFunction::square: return 0.5 * m * m;
    case CellFunction::model: return m;
  }
  return 0;
}

double slope_at(CellFunction function, double x, double m) {
  switch (function) {
    case CellFunction::residual: return x - m;
    case CellFunction::counts: return x / m - 1;
    case CellFunction::logarithm: return x / m;
    case CellFunction::product: return x;
    case CellFunction::square: return m;
    case CellFunction::model: return 1;
  }
  return 0;
}

/// Cells with nonnegative values, some of them zero, and positive factors.
struct Case {
  std::vector<Index> shape;
  Index rank;
  SparseTensor cells;
  std::vector<FactorMatrix> factors;
};

Case random_case(std::vector<Index> shape, Index count, Index rank, std::uint64_t seed) {
  Case result{shape, rank, test::random_sparse(shape, count, seed), test::random_factors(shape, rank, seed)};
  for (double& value : result.cells.values()) value = std::floor(4 * std::abs(value));
  for (FactorMatrix& factor : result.factors)
    for (Index i = 0; i < factor.rows(); ++i)
      for (Index r = 0; r < rank; ++r) factor(i, r) = std::abs(factor(i, r)) + 0.01;
  return result;
}

struct Sums {
  double value = 0, magnitude = 0;  // Σ φ and Σ |φ|
  FactorMatrix rows, magnitudes;    // of the mode
};

/// Loops over the cells.
Sums brute_force(const Case& data, CellFunction function, int mode) {
  const auto size = data.shape[static_cast<std::size_t>(mode)];
  Sums sums{0, 0, FactorMatrix(size, data.rank), FactorMatrix(size, data.rank)};
  for (std::size_t k = 0; k < static_cast<std::size_t>(data.cells.nonzeros()); ++k) {
    const double x = data.cells.values()[k];
    double m = 0;
    std::vector<double> others(static_cast<std::size_t>(data.rank), 1.0);
    const Index own = data.cells.indices(mode)[k];
    for (Index r = 0; r < data.rank; ++r) {
      double& product = others[static_cast<std::size_t>(r)];
      for (int other = 0; other < data.cells.order(); ++other)
        if (other != mode) product *= data.factors[static_cast<std::size_t>(other)](data.cells.indices(other)[k], r);
      m += product * data.factors[static_cast<std::size_t>(mode)](own, r);
    }
    sums.value += function_at(function, x, m);
    sums.magnitude += std::abs(function_at(function, x, m)) + (function == CellFunction::counts ? m : 0);
    for (Index r = 0; r < data.rank; ++r) {
      const double term = slope_at(function, x, m) * others[static_cast<std::size_t>(r)];
      sums.rows(own, r) += term;
      sums.magnitudes(own, r) += std::abs(term) + others[static_cast<std::size_t>(r)];
    }
  }
  return sums;
}

std::vector<int> rooted_at(int mode, int order) {
  std::vector<int> modes{mode};
  for (int other = 0; other < order; ++other)
    if (other != mode) modes.push_back(other);
  return modes;
}

void compare(const Case& data, CellFunction function, int mode, const CsfTensor& tree, CellSums& sums) {
  SCOPED_TRACE(testing::Message() << "order " << data.cells.order() << " rank " << data.rank << " function "
                                  << static_cast<int>(function) << " mode " << mode << " merged "
                                  << tree.merged_levels());
  // Model values lose up to 2 rank ε in themselves; sums of n terms √n ε as a rule, n ε at worst.
  const double tolerance = 2.3e-16 * (4.0 * static_cast<double>(data.rank) + 64);
  const Sums expected = brute_force(data, function, mode);
  std::vector<double> rows(static_cast<std::size_t>(tree.nodes(0) * data.rank), std::nan(""));
  const double value = sums.with_gradient(tree, data.factors, function, rows);
  EXPECT_NEAR(value, expected.value, tolerance * (1 + expected.magnitude));
  EXPECT_EQ(sums.value(tree, data.factors, function), value);
  std::vector<bool> seen(static_cast<std::size_t>(expected.rows.rows()), false);
  for (Index n = 0; n < tree.nodes(0); ++n) {
    const Index row = tree.ids(0)[static_cast<std::size_t>(n)];
    seen[static_cast<std::size_t>(row)] = true;
    for (Index r = 0; r < data.rank; ++r)
      EXPECT_NEAR(rows[static_cast<std::size_t>(n * data.rank + r)], expected.rows(row, r),
                  tolerance * expected.magnitudes(row, r));
  }
  for (Index row = 0; row < expected.rows.rows(); ++row)
    EXPECT_EQ(seen[static_cast<std::size_t>(row)], expected.magnitudes(row, 0) > 0);
}

TEST(CellSums, MatchesBruteForceForEveryFunctionModeShapeAndRank) {
  const std::vector<std::pair<std::vector<Index>, Index>> tensors = {{{7, 5}, 20},
                                                                     {{1, 1}, 1},
                                                                     {{6, 1, 9}, 30},
                                                                     {{40, 30, 50}, 60},
                                                                     {{8, 9, 10}, 400},
                                                                     {{5, 4, 3, 6}, 100},
                                                                     {{30, 20, 9, 8}, 50},
                                                                     {{4, 3, 5, 2, 6}, 150},
                                                                     {{2, 3, 2, 2, 3, 2}, 60},
                                                                     {{2, 2, 2, 2, 2, 2, 2}, 70},
                                                                     {{2, 2, 2, 2, 2, 2, 2, 2}, 90}};
  CellSums sums;
  std::uint64_t seed = 1;
  for (const auto& [shape, count] : tensors)
    for (const Index rank : {1, 2, 3, 5, 8, 17, 31, 33, 70}) {
      const Case data = random_case(shape, count, rank, ++seed);
      NonzeroList list(data.cells);
      for (int mode = 0; mode < data.cells.order(); ++mode)
        for (const double long_fibre : {0.0, CsfTensor::kLongFibre}) {
          const CsfTensor tree = list.build(rooted_at(mode, data.cells.order()), long_fibre);
          for (const CellFunction function : kFunctions) compare(data, function, mode, tree, sums);
        }
    }
}

TEST(CellSums, LogarithmsOfManySizesAreGoodToTwoUlps) {
  // An order-2 model of one cell: 2^k times a number between.
  CellSums sums;
  SparseTensor cell({1, 1});
  cell.append(std::vector<Index>{0, 0}, 1.0);
  NonzeroList list(cell);
  const CsfTensor tree = list.build({0, 1});
  std::vector<FactorMatrix> factors;
  factors.emplace_back(1, 1);
  factors.emplace_back(1, 1);
  factors[1](0, 0) = 1;
  for (int exponent = -960; exponent <= 1000; exponent += 7)
    for (double mantissa = 1; mantissa < 2; mantissa += 0.0137) {
      factors[0](0, 0) = std::ldexp(mantissa, exponent);
      const double expected = std::log(factors[0](0, 0));
      EXPECT_NEAR(sums.value(tree, factors, CellFunction::logarithm), expected, 4.5e-16 * std::abs(expected) + 1e-17);
    }
  for (const double near_one : {1 - 1e-16, 1.0, 1 + 2.3e-16, 1 + 1e-9, 1 - 1e-9}) {
    factors[0](0, 0) = near_one;
    EXPECT_NEAR(sums.value(tree, factors, CellFunction::logarithm), std::log(near_one),
                4.5e-16 * std::abs(std::log(near_one)));
  }
}

TEST(CellSums, SaysWhereAModelHasNoLogarithm) {
  CellSums sums;
  for (const Index count : {1, 8, 11}) {  // in whole vectors and in the rest
    SparseTensor cells({count, 1});
    for (Index i = 0; i < count; ++i) cells.append(std::vector<Index>{i, 0}, i == 0 ? 0.0 : 2.0);
    NonzeroList list(cells);
    const CsfTensor tree = list.build({1, 0});
    std::vector<FactorMatrix> factors;
    factors.emplace_back(count, 1);
    factors.emplace_back(1, 1);
    factors[1](0, 0) = 1;
    for (Index i = 0; i < count; ++i) factors[0](i, 0) = 1;
    factors[0](0, 0) = 0;  // a zero may have the rate zero
    for (const CellFunction function : {CellFunction::counts, CellFunction::logarithm}) {
      EXPECT_EQ(sums.value(tree, factors, function),
                function == CellFunction::counts ? -static_cast<double>(count - 1) : 0.0);
      if (count == 1) continue;
      factors[0](count - 1, 0) = 1e-300;
      EXPECT_EQ(sums.value(tree, factors, function), -std::numeric_limits<double>::infinity());
      for (const double bad : {std::numeric_limits<double>::infinity(), std::nan("")}) {
        factors[0](count - 1, 0) = bad;
        EXPECT_FALSE(std::isfinite(sums.value(tree, factors, function)));
      }
      factors[0](count - 1, 0) = 1;
    }
  }
}

TEST(CellSums, NothingIsZero) {
  const SparseTensor empty({3, 4});
  NonzeroList list(empty);
  const CsfTensor tree = list.build({0, 1});
  const auto factors = test::random_factors({3, 4}, 2, 1);
  CellSums sums;
  for (const CellFunction function : kFunctions) {
    EXPECT_EQ(sums.value(tree, factors, function), 0);
    EXPECT_EQ(sums.with_gradient(tree, factors, function, {}), 0);
  }
}

}  // namespace
}  // namespace tempera
