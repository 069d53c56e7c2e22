#include "distributed/als/cp_als.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/random_stream.hpp"
#include "core/tensor/gram.hpp"
#include "tests/support/distributed.hpp"

namespace tempera {
namespace {

/// Unit columns, normal or (nonnegative) normal with the negative entries set to zero, and weights 1, 1.25, …: every
/// component stands well above the noise, so that the best model is the planted one.
KruskalTensor planted_model(const std::vector<Index>& shape, Index rank, bool nonnegative, std::uint64_t seed) {
  KruskalTensor model;
  for (Index r = 0; r < rank; ++r) model.weights.push_back(1.0 + 0.25 * static_cast<double>(r));
  model.factors = test::random_factors(shape, rank, seed);
  for (auto& factor : model.factors)
    for (Index r = 0; r < rank; ++r) {
      if (nonnegative) {
        for (Index i = 0; i < factor.rows(); ++i) factor(i, r) = std::max(0.0, factor(i, r));
        factor(r % factor.rows(), r) += 0.5;  // no column is empty
      }
      double norm = 0;
      for (Index i = 0; i < factor.rows(); ++i) norm += factor(i, r) * factor(i, r);
      for (Index i = 0; i < factor.rows(); ++i) factor(i, r) /= std::sqrt(norm);
    }
  return model;
}

CpOptions options_for(const std::vector<Index>& shape, Index rank, bool nonnegative) {
  CpOptions options;
  options.rank = rank;
  options.iterations = 500;
  options.tolerance = 1e-9;
  options.restarts = 10;
  if (nonnegative) options.constraints.assign(shape.size(), Constraint::nonnegative);
  return options;
}

TEST(CpAls, RecoversPlantedModelsOfOrders3To5WithNoise) {
  const Communicator world(MPI_COMM_WORLD);
  std::uint64_t seed = 40;
  for (const std::vector<Index>& shape : {std::vector<Index>{20, 17, 15}, {12, 11, 10, 9}, {9, 8, 8, 8, 8}})
    for (Index rank : {1, 2, 3, 4, 5, 6, 7, 8})
      for (bool nonnegative : {false, true}) {
        const KruskalTensor truth = planted_model(shape, rank, nonnegative, ++seed);
        const DenseTensor tensor = test::planted(truth, 0.01, seed);
        const CpOptions options = options_for(shape, rank, nonnegative);
        const auto dense = test::distributed(world, tensor);
        const CpResult from_dense = cp_als(*dense, options);
        EXPECT_GE(test::factor_match_score(truth, test::gathered(*dense, from_dense)), 0.99)
            << "dense, order " << shape.size() << " rank " << rank << " nonnegative " << nonnegative << " seed "
            << seed;
        const auto sparse = test::distributed(world, test::every_cell(tensor));
        const CpResult from_sparse = cp_als(*sparse, options);
        EXPECT_GE(test::factor_match_score(truth, test::gathered(*sparse, from_sparse)), 0.99)
            << "sparse, order " << shape.size() << " rank " << rank << " nonnegative " << nonnegative << " seed "
            << seed;
        EXPECT_NEAR(from_dense.fit, from_sparse.fit, 1e-8);
      }
}

// Sparse factors make a sparse tensor in which absent cells are true zeros.
TEST(CpAls, RecoversAPlantedSparseTensor) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{60, 50, 40};
  KruskalTensor truth = planted_model(shape, 4, true, 9);
  RandomStream stream(9, "sparsify", {});
  for (auto& factor : truth.factors)
    for (Index i = 0; i < factor.rows(); ++i)
      for (Index r = 0; r < 4; ++r)
        if (stream.uniform() < 0.6) factor(i, r) = 0;
  const DenseTensor dense = test::planted(truth, 0, 0);
  SparseTensor tensor(shape);
  std::vector<Index> cell(3, 0);
  do
    if (dense(cell) != 0) tensor.append(cell, dense(cell));
  while (next_cell(cell, shape));
  ASSERT_LT(tensor.nonzeros(), dense.size() / 2);
  for (bool nonnegative : {false, true}) {
    const auto spread = test::distributed(world, tensor);
    const CpResult result = cp_als(*spread, options_for(shape, 4, nonnegative));
    EXPECT_GE(test::factor_match_score(truth, test::gathered(*spread, result)), 0.999);
    EXPECT_GE(result.fit, 1 - 1e-5);
    EXPECT_LE(result.fit, 1.0);
  }
}

TEST(CpAls, FitEqualsTheDirectResidual) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{9, 8, 7};
  const DenseTensor tensor = test::random_dense(shape, 77);
  for (bool nonnegative : {false, true}) {
    CpOptions options = options_for(shape, 3, nonnegative);
    options.iterations = 12;
    options.restarts = 2;
    const auto spread = test::distributed(world, tensor);
    const CpResult result = cp_als(*spread, options);
    EXPECT_NEAR(result.fit, test::direct_fit(tensor, test::gathered(*spread, result)), 1e-12);
    EXPECT_NEAR(result.fit, 1 - result.relative_error, 1e-15);
  }
}

TEST(CpAls, FitNeverFalls) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{12, 10, 9};
  const DenseTensor tensor = test::planted(planted_model(shape, 4, false, 3), 0.3, 3);
  for (bool nonnegative : {false, true}) {
    CpOptions options = options_for(shape, 5, nonnegative);
    options.tolerance = 0;
    options.iterations = 60;
    double previous = -1e300;
    CpObserver observer;
    observer.progress = [&](const CpStep& step) {
      if (step.iteration > 1) {
        EXPECT_GE(step.fit, previous - 1e-12) << "restart " << step.restart << " sweep " << step.iteration;
      }
      previous = step.fit;
    };
    cp_als(*test::distributed(world, tensor), options, observer);
  }
}

// Every number of ranks, on groups of their own inside one run: fits agree to 1e-10.
TEST(CpAls, FitDoesNotDependOnTheNumberOfRanks) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{14, 12, 10};
  const DenseTensor noisy = test::planted(planted_model(shape, 3, false, 12), 0.1, 12);
  const SparseTensor sparse = test::random_sparse({30, 25, 20}, 900, 4);
  const DenseTensor close = test::planted(planted_model(shape, 2, false, 13), 2e-6, 13);
  for (bool nonnegative : {false, true}) {
    CpOptions options;
    options.rank = 3;
    options.iterations = 40;
    options.tolerance = 0;
    if (nonnegative) options.constraints.assign(3, Constraint::nonnegative);
    std::vector<std::vector<double>> fits;
    for (int ranks = 1; ranks <= world.size(); ++ranks) {
      const Communicator group = world.split_independent(world.rank() < ranks ? 0 : 1, 0);
      std::vector<double> mine{cp_als(*test::distributed(group, noisy), options).fit,
                               cp_als(*test::distributed(group, sparse), options).fit,
                               cp_als(*test::distributed(group, close), options).fit};
      world.broadcast(std::span<double>(mine), 0);
      fits.push_back(mine);
    }
    for (const auto& fit : fits)
      for (std::size_t k = 0; k < fit.size(); ++k)
        EXPECT_NEAR(fit[k], fits.front()[k], 1e-10 * std::abs(fits.front()[k]));
  }
}

TEST(CpAls, EqualRanksGiveEqualBits) {
  const Communicator world(MPI_COMM_WORLD);
  const SparseTensor tensor = test::random_sparse({30, 25, 20}, 900, 4);
  CpOptions options;
  options.rank = 4;
  options.iterations = 15;
  options.restarts = 2;
  std::vector<KruskalTensor> models;
  for (int run = 0; run < 2; ++run) {
    const auto spread = test::distributed(world, tensor);
    models.push_back(test::gathered(*spread, cp_als(*spread, options)));
  }
  EXPECT_EQ(models[0].weights, models[1].weights);
  for (std::size_t mode = 0; mode < 3; ++mode)
    EXPECT_EQ(test::relative_difference(models[0].factors[mode], models[1].factors[mode]), 0.0);
}

TEST(CpAls, ExactLowRankDataReachFitOne) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{12, 11, 10};
  const KruskalTensor truth = planted_model(shape, 3, false, 31);
  CpOptions options = options_for(shape, 3, false);
  options.tolerance = 0;
  options.iterations = 200;
  const auto spread = test::distributed(world, test::planted(truth, 0, 0));
  const CpResult result = cp_als(*spread, options);
  EXPECT_GE(result.fit, 1 - 1e-7);
  EXPECT_LE(result.fit, 1.0);
  EXPECT_GE(test::factor_match_score(truth, test::gathered(*spread, result)), 0.999);
}

TEST(CpAls, NormalFormHasUnitColumnsDecreasingWeightsAndPositiveLeadingEntries) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{8, 9, 7};
  const auto spread = test::distributed(world, test::planted(planted_model(shape, 4, false, 6), 0.2, 6));
  CpOptions options;
  options.rank = 4;
  const KruskalTensor model = test::gathered(*spread, cp_als(*spread, options));
  EXPECT_TRUE(std::is_sorted(model.weights.rbegin(), model.weights.rend()));
  for (std::size_t mode = 0; mode < 3; ++mode)
    for (Index r = 0; r < 4; ++r) {
      double norm = 0, leading = 0;
      for (Index i = 0; i < shape[mode]; ++i) {
        const double value = model.factors[mode](i, r);
        norm += value * value;
        if (std::abs(value) > std::abs(leading)) leading = value;
      }
      EXPECT_NEAR(norm, 1.0, 1e-12);
      if (mode < 2) {
        EXPECT_GT(leading, 0.0);
      }
    }
}

TEST(CpAls, NonnegativeFactorsAreNonnegativeAndStationary) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{9, 8, 10};
  const DenseTensor tensor = test::planted(planted_model(shape, 3, true, 8), 0.2, 8);
  CpOptions options = options_for(shape, 3, true);
  options.iterations = 2000;
  options.tolerance = 0;
  options.restarts = 1;
  const auto spread = test::distributed(world, tensor);
  KruskalTensor model = test::gathered(*spread, cp_als(*spread, options));
  // Karush–Kuhn–Tucker of the last mode with the weights folded in: u ≥ 0, gradient ≥ 0 where u = 0, = 0 where u > 0.
  std::vector<GramMatrix> grams;
  for (const auto& factor : model.factors) grams.push_back(gram(factor, 0, factor.rows()));
  const GramMatrix h = hadamard(grams, 2);
  const FactorMatrix m = test::brute_force_mttkrp(tensor, model.factors, 2);
  double largest = 0;
  for (Index i = 0; i < shape[2]; ++i)
    for (Index r = 0; r < 3; ++r) largest = std::max(largest, std::abs(m(i, r)));
  for (Index i = 0; i < shape[2]; ++i)
    for (Index r = 0; r < 3; ++r) {
      double gradient = -m(i, r);
      for (Index s = 0; s < 3; ++s)
        gradient += model.factors[2](i, s) * model.weights[static_cast<std::size_t>(s)] * h(s, r);
      EXPECT_GE(model.factors[2](i, r), 0.0);
      EXPECT_GE(gradient, -1e-7 * largest);
      if (model.factors[2](i, r) > 1e-8) {
        EXPECT_LE(std::abs(gradient), 1e-7 * largest);
      }
    }
}

TEST(CpAls, ZeroTensorHasFitOneAndSaysSo) {
  const Communicator world(MPI_COMM_WORLD);
  CpOptions options;
  options.rank = 2;
  const auto spread = test::distributed(world, DenseTensor({3, 4, 5}));
  const CpResult result = cp_als(*spread, options);
  EXPECT_EQ(result.fit, 1.0);
  EXPECT_EQ(result.weights, std::vector<double>(2, 0.0));
  EXPECT_EQ(result.notes.size(), 1u);
}

TEST(CpAls, RankAboveWhatTheDataHoldIsSolvedAndSaid) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{6, 5, 4};
  const auto spread = test::distributed(world, test::planted(planted_model(shape, 2, false, 14), 0, 0));
  CpOptions options;
  options.rank = 6;
  options.iterations = 60;
  options.tolerance = 0;
  const CpResult result = cp_als(*spread, options);
  EXPECT_GE(result.fit, 1 - 1e-4);
  if (spread->active() && world.is_root()) {
    EXPECT_FALSE(result.notes.empty());
  }
}

TEST(CpAls, AllRanksStopAtTheSameSweepWhenOneIsAsked) {
  const Communicator world(MPI_COMM_WORLD);
  CpOptions options;
  options.rank = 2;
  options.tolerance = 0;
  int sweeps = 0;
  CpObserver observer;
  observer.progress = [&](const CpStep&) { ++sweeps; };
  observer.stop = [&] { return sweeps == 4 && world.rank() == world.size() - 1; };
  const auto spread = test::distributed(world, test::random_dense({8, 8, 8}, 1));
  const CpResult result = cp_als(*spread, options, observer);
  EXPECT_EQ(sweeps, 5);
  EXPECT_EQ(result.iterations, 5);
  EXPECT_EQ(result.stopped, StopReason::requested);
}

TEST(CpAls, RefusesValuesWhoseSquaresOverflowOrVanish) {
  const Communicator world(MPI_COMM_WORLD);
  CpOptions options;
  options.rank = 1;
  for (double scale : {1e200, 1e-200, 1e-320}) {
    DenseTensor tensor({3, 4, 5});
    for (double& value : tensor.values()) value = scale;
    EXPECT_THROW(cp_als(*test::distributed(world, tensor), options), Error) << scale;
    EXPECT_THROW(cp_als(*test::distributed(world, test::every_cell(tensor)), options), Error) << scale;
  }
}

TEST(CpAls, EveryRankKnowsTheOutcome) {
  const Communicator world(MPI_COMM_WORLD);
  CpOptions options;
  options.rank = 3;
  options.restarts = 3;
  options.iterations = 4;
  // Sizes that leave a rank out on three ranks and more.
  const auto spread = test::distributed(world, test::random_dense({2, 2, 2}, 3));
  const CpResult result = cp_als(*spread, options);
  EXPECT_EQ(result.restart_fits.size(), 3u);
  EXPECT_EQ(result.weights.size(), 3u);
  EXPECT_EQ(result.fit, world.broadcast_value(result.fit, 0));
}

TEST(CpAls, RefusesImpossibleOptions) {
  const Communicator world(MPI_COMM_WORLD);
  const auto spread = test::distributed(world, test::random_dense({3, 3, 3}, 1));
  CpOptions options;
  options.rank = 0;
  EXPECT_THROW(cp_als(*spread, options), Error);
  options.rank = 2;
  options.tolerance = -1;
  EXPECT_THROW(cp_als(*spread, options), Error);
}

}  // namespace
}  // namespace tempera
