#include "distributed/tensor/holdout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/base/random_stream.hpp"
#include "distributed/als/cp_apr.hpp"
#include "tests/support/distributed.hpp"

namespace tempera {
namespace {

constexpr HoldoutOptions kTenth{0.1, 3};

KruskalTensor positive_model(const std::vector<Index>& shape, Index rank, std::uint64_t seed) {
  KruskalTensor model{std::vector<double>(static_cast<std::size_t>(rank), 3.0),
                      test::random_factors(shape, rank, seed)};
  for (FactorMatrix& factor : model.factors)
    for (Index i = 0; i < factor.rows(); ++i)
      for (Index r = 0; r < rank; ++r) factor(i, r) = std::abs(factor(i, r));
  return model;
}

CpResult fitted(const DistributedTensor& tensor, bool poisson, Index rank, int sweeps,
                const CpObserver& observer = {}) {
  CpOptions options;
  options.rank = rank;
  options.iterations = sweeps;
  options.tolerance = 0;
  return poisson ? cp_apr(tensor, options, observer) : cp_als(tensor, options, observer);
}

/// All held cells with their values, on every rank, in the order of the coordinates.
std::vector<std::vector<double>> held_cells(const DistributedTensor& tensor) {
  const auto width = static_cast<std::size_t>(tensor.order()) + 1;
  std::vector<double> mine;
  for (std::size_t k = 0; tensor.active() && k < tensor.holdout().cells.values.size(); ++k) {
    for (int mode = 0; mode < tensor.order(); ++mode) {
      const auto m = static_cast<std::size_t>(mode);
      const Index row = tensor.holdout().cells.indices[m][k];
      mine.push_back(static_cast<double>(tensor.rows(mode).global_rows[static_cast<std::size_t>(row)]));
    }
    mine.push_back(tensor.holdout().cells.values[k]);
  }
  const auto all = tensor.grid().all().all_gather(std::span<const double>(mine));
  std::vector<std::vector<double>> cells;
  for (std::size_t k = 0; k < all.size(); k += width)
    cells.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(k),
                       all.begin() + static_cast<std::ptrdiff_t>(k + width));
  std::sort(cells.begin(), cells.end());
  return cells;
}

double loss(bool poisson, double x, double m) {
  return poisson ? 2 * ((x > 0 ? x * std::log(x / m) : 0) - x + m) : (x - m) * (x - m);
}

TEST(Holdout, DenseScoresAreThoseOfTheDefinition) {
  const Communicator world(MPI_COMM_WORLD);
  const DenseTensor tensor = test::count_draws(positive_model({12, 10, 9}, 2, 4), 4);
  for (bool poisson : {false, true}) {
    const auto spread = test::distributed(world, tensor, {}, kTenth);
    const CpResult result = fitted(*spread, poisson, 2, 40);
    const KruskalTensor model = test::gathered(*spread, result);
    double kept = 0, kept_norm = 0, sum = 0, squares = 0, held = 0;
    std::vector<Index> cell(3, 0);
    do {
      const double value = loss(poisson, tensor(cell), model(cell));
      if (is_held(cell, kTenth)) {
        sum += value;
        squares += value * value;
        held += 1;
      } else {
        kept += value;
        kept_norm += tensor(cell) * tensor(cell);
      }
    } while (next_cell(cell, tensor.shape()));
    ASSERT_TRUE(result.holdout.has_value());
    ASSERT_EQ(result.holdout->strata.size(), 1u);
    EXPECT_EQ(static_cast<double>(result.holdout->strata[0].held), held);
    EXPECT_NEAR(held, 108, 45) << "a tenth, to 4.5 standard deviations";
    const double mean = sum / held, cells = static_cast<double>(tensor.size());
    const double error = std::sqrt((squares / held - mean * mean) / (held - 1) * (1 - held / cells));
    EXPECT_NEAR(result.holdout->mean, mean, 1e-9 * mean);
    EXPECT_NEAR(result.holdout->standard_error, error, 1e-9 * error);
    if (poisson)
      EXPECT_NEAR(result.deviance.value(), kept, 1e-9 * kept);
    else
      EXPECT_NEAR(result.fit, 1 - std::sqrt(kept / kept_norm), 1e-10);
  }
}

TEST(Holdout, SparseStrataAreBalancedAndScoredWithTheirWeights) {
  const Communicator world(MPI_COMM_WORLD);
  KruskalTensor truth = positive_model({30, 25, 20}, 2, 5);
  truth.weights.assign(2, 0.1);
  const DenseTensor dense = test::count_draws(truth, 5);
  const SparseTensor tensor = test::positive_cells(dense);
  const auto stored = static_cast<double>(tensor.nonzeros()), cells = static_cast<double>(dense.size());
  for (bool poisson : {false, true}) {
    const auto spread = test::distributed(world, tensor, {}, kTenth);
    EXPECT_EQ(spread->stored_cells(), tensor.nonzeros());
    EXPECT_EQ(spread->duplicates(), 0);
    const CpResult result = fitted(*spread, poisson, 2, 30);
    const KruskalTensor model = test::gathered(*spread, result);
    double sums[2] = {0, 0}, held[2] = {0, 0}, kept = 0, norm = 0;
    std::set<std::vector<Index>> apart;
    for (const auto& entry : held_cells(*spread)) {
      const std::vector<Index> cell{static_cast<Index>(entry[0]), static_cast<Index>(entry[1]),
                                    static_cast<Index>(entry[2])};
      EXPECT_EQ(entry[3], dense(cell));
      EXPECT_TRUE(apart.insert(cell).second) << "each cell once";
      const int stratum = dense(cell) > 0 ? 0 : 1;
      EXPECT_TRUE(stratum == 1 || is_held(cell, kTenth));
      sums[stratum] += loss(poisson, dense(cell), std::max(model(cell), poisson ? 1e-10 : -1e300));
      held[stratum] += 1;
    }
    EXPECT_NEAR(held[0], 0.1 * stored, 4.9 * std::sqrt(0.09 * stored));
    EXPECT_NEAR(held[1], held[0], 4.9 * std::sqrt(held[0]));
    std::vector<Index> cell(3, 0);
    do {
      if (apart.contains(cell)) continue;
      kept += loss(poisson, dense(cell), model(cell));
      norm += dense(cell) * dense(cell);
    } while (next_cell(cell, dense.shape()));
    const double expected = (sums[0] / held[0] * stored + sums[1] / held[1] * (cells - stored)) / cells;
    EXPECT_NEAR(result.holdout.value().mean, expected, 1e-9 * expected);
    if (poisson)
      EXPECT_NEAR(result.deviance.value(), kept, 1e-9 * kept);
    else
      EXPECT_NEAR(result.fit, 1 - std::sqrt(kept / norm), 1e-10);
  }
}

TEST(Holdout, WhatIsKeptApartHasNoInfluence) {
  const Communicator world(MPI_COMM_WORLD);
  const DenseTensor tensor = test::count_draws(positive_model({10, 9, 8}, 2, 6), 6);
  DenseTensor other = tensor;
  std::vector<Index> cell(3, 0);
  do
    if (is_held(cell, kTenth)) other(cell) += 50;
  while (next_cell(cell, tensor.shape()));
  for (bool poisson : {false, true})
    for (bool sparse : {false, true}) {
      const auto spread = [&](const DenseTensor& x) {
        return sparse ? test::distributed(world, test::every_cell(x), {}, kTenth)
                      : test::distributed(world, x, {}, kTenth);
      };
      const auto first = spread(tensor), second = spread(other);
      // Zeros of a sparse tensor that stores them are data like the rest, and never drawn.
      if (sparse && held_cells(*first).size() != held_cells(*second).size()) continue;
      const KruskalTensor a = test::gathered(*first, fitted(*first, poisson, 2, 15));
      const KruskalTensor b = test::gathered(*second, fitted(*second, poisson, 2, 15));
      EXPECT_EQ(a.weights, b.weights);
      for (std::size_t mode = 0; mode < 3; ++mode)
        EXPECT_EQ(test::relative_difference(a.factors[mode], b.factors[mode]), 0.0);
    }
}

TEST(Holdout, TheLossOfTheOthersNeverRises) {
  const Communicator world(MPI_COMM_WORLD);
  const DenseTensor tensor = test::count_draws(positive_model({12, 10, 9}, 3, 7), 7);
  for (bool sparse : {false, true}) {
    const auto spread = sparse ? test::distributed(world, test::positive_cells(tensor), {}, {0.3, 1})
                               : test::distributed(world, tensor, {}, {0.3, 1});
    for (bool poisson : {false, true}) {
      double previous = -1e300;
      CpObserver observer;
      observer.progress = [&](const CpStep& step) {
        const double now = poisson ? -step.deviance.value() : step.fit;
        EXPECT_GE(now, previous - 1e-12 * std::abs(now)) << "sweep " << step.iteration;
        previous = now;
      };
      fitted(*spread, poisson, 4, 60, observer);
    }
  }
}

// A sweep that begins beyond the factors counts only if the loss of the cells that take part is no higher.
TEST(Holdout, ExtrapolationGoesDownFasterOnTheOthersAlone) {
  const Communicator world(MPI_COMM_WORLD);
  const DenseTensor tensor = test::count_draws(positive_model({12, 10, 9}, 3, 7), 7);
  for (const std::vector<std::string>& texts :
       {std::vector<std::string>{}, {"nonnegative"}, {"ridge:0.1"}, {"l1:0.1@0", "ridge:0.1@1"}})
    for (const bool sparse : {false, true}) {
      SCOPED_TRACE(texts.empty() ? "unconstrained" : texts.front());
      const auto spread = sparse ? test::distributed(world, test::positive_cells(tensor), {}, {0.3, 1})
                                 : test::distributed(world, tensor, {}, {0.3, 1});
      double objectives[2] = {0, 0};
      for (const bool extrapolation : {false, true}) {
        CpOptions options;
        options.rank = 3;
        options.iterations = 60;
        options.tolerance = 0;
        options.constraints = parse_constraints(texts, 3);
        options.extrapolation = extrapolation;
        double previous = std::numeric_limits<double>::infinity();
        CpObserver observer;
        observer.progress = [&](const CpStep& step) {
          EXPECT_LE(step.objective, previous + 1e-12 * spread->norm_squared()) << "sweep " << step.iteration;
          previous = step.objective;
        };
        const CpResult result = cp_als(*spread, options, observer);
        objectives[extrapolation] = result.objective;
        const KruskalTensor model = test::gathered(*spread, result);
        std::set<std::vector<double>> apart;
        for (auto cell : held_cells(*spread)) {
          cell.pop_back();
          apart.insert(cell);
        }
        double kept = 0, norm = 0;
        std::vector<Index> cell(3, 0);
        do {
          if (apart.contains(std::vector<double>(cell.begin(), cell.end()))) continue;
          kept += std::pow(tensor(cell) - model(cell), 2);
          norm += tensor(cell) * tensor(cell);
        } while (next_cell(cell, tensor.shape()));
        EXPECT_NEAR(result.relative_error, std::sqrt(kept / norm), 1e-10);
        EXPECT_TRUE(result.holdout.has_value());
      }
      EXPECT_LE(objectives[1], objectives[0] * (1 + 1e-3)) << "imputation makes plain sweeps slow";
    }
}

TEST(Holdout, NeitherRanksNorOrderChangeTheCellsOrTheScore) {
  const Communicator world(MPI_COMM_WORLD);
  const DenseTensor dense = test::count_draws(positive_model({14, 11, 9}, 2, 8), 8);
  const SparseTensor sparse = test::positive_cells(dense);
  SparseTensor backwards(sparse.shape());
  for (Index k = sparse.nonzeros(); k-- > 0;) {
    const auto at = static_cast<std::size_t>(k);
    const std::vector<Index> cell{sparse.indices(0)[at], sparse.indices(1)[at], sparse.indices(2)[at]};
    backwards.append(cell, sparse.values()[at]);
  }
  std::vector<std::vector<std::vector<double>>> cells;
  for (bool poisson : {false, true}) {
    std::vector<double> dense_means, sparse_means;
    for (int ranks = 1; ranks <= world.size(); ++ranks) {
      const Communicator group = world.split_independent(world.rank() < ranks ? 0 : 1, 0);
      const auto a = test::distributed(group, dense, {}, kTenth), b = test::distributed(group, sparse, {}, kTenth),
                 c = test::distributed(group, backwards, {}, kTenth);
      double means[3] = {fitted(*a, poisson, 2, 30).holdout.value().mean,
                         fitted(*b, poisson, 2, 30).holdout.value().mean,
                         fitted(*c, poisson, 2, 30).holdout.value().mean};
      world.broadcast(std::span<double>(means), 0);
      dense_means.push_back(means[0]);
      sparse_means.insert(sparse_means.end(), {means[1], means[2]});
      cells.push_back(held_cells(*b));
      cells.push_back(held_cells(*c));
    }
    for (double mean : dense_means) EXPECT_NEAR(mean, dense_means.front(), 1e-9 * mean);
    for (double mean : sparse_means) EXPECT_NEAR(mean, sparse_means.front(), 1e-9 * mean);
  }
  for (const auto& held : cells) EXPECT_EQ(held, cells.front());
}

TEST(Holdout, TheTrueRankTestsBetterThanALowerOne) {
  const Communicator world(MPI_COMM_WORLD);
  KruskalTensor truth = positive_model({20, 18, 16}, 3, 9);
  const DenseTensor tensor = test::count_draws(truth, 9);
  for (bool poisson : {false, true}) {
    const auto spread = test::distributed(world, tensor, {}, kTenth);
    const HoldoutScore low = fitted(*spread, poisson, 1, 100).holdout.value();
    const HoldoutScore right = fitted(*spread, poisson, 3, 200).holdout.value();
    EXPECT_LT(right.mean + 3 * right.standard_error, low.mean);
    if (poisson) {
      EXPECT_NEAR(right.mean, 1.1, 0.3) << "about one a cell where counts are Poisson";
    }
  }
}

TEST(Holdout, EntriesWhoseSliceHoldsNoOthersStayInTheFit) {
  const Communicator world(MPI_COMM_WORLD);
  SparseTensor tensor({40, 40});
  for (Index i = 0; i < 40; ++i) tensor.append(std::vector<Index>{i, 39 - i}, 1.0 + static_cast<double>(i));
  tensor.append(std::vector<Index>{0, 0}, 2.0);
  const auto spread = test::distributed(world, tensor, {}, {0.5, 2});
  for (const auto& cell : held_cells(*spread))
    EXPECT_TRUE(cell[2] == 0 || (cell[0] == 0 && cell[1] == 0)) << "the only one whose slices hold others";
  if (spread->active()) {
    EXPECT_GT(spread->holdout().returned, 5);
  }
  EXPECT_EQ(spread->stored_cells(), 41);
}

}  // namespace
}  // namespace tempera
