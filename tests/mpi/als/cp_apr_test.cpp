#include "distributed/als/cp_apr.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.hpp"
#include "core/base/random_stream.hpp"
#include "core/io/tensor_file.hpp"
#include "tests/support/data.hpp"
#include "tests/support/distributed.hpp"

namespace tempera {
namespace {

constexpr CountSolver kSolvers[] = {CountSolver::multiplicative, CountSolver::newton};

/// Components on few rows each, of `total` expected counts.
KruskalTensor count_model(const std::vector<Index>& shape, Index rank, double total, std::uint64_t seed) {
  KruskalTensor model;
  RandomStream stream(seed, "count-model", {});
  for (Index r = 0; r < rank; ++r) model.weights.push_back(total / static_cast<double>(rank));
  for (Index size : shape) {
    FactorMatrix factor(size, rank);
    for (Index r = 0; r < rank; ++r) {
      double sum = 0;
      for (Index i = 0; i < size; ++i) sum += factor(i, r) = stream.uniform() < 0.4 ? stream.uniform_open() : 0.01;
      for (Index i = 0; i < size; ++i) factor(i, r) /= sum;
    }
    model.factors.push_back(std::move(factor));
  }
  return model;
}

double direct_deviance(const DenseTensor& tensor, const KruskalTensor& model) {
  double deviance = 0;
  std::vector<Index> cell(tensor.shape().size(), 0);
  do {
    const double x = tensor(cell), m = model(cell);
    deviance += 2 * ((x > 0 ? x * std::log(x / m) : 0) - x + m);
  } while (next_cell(cell, tensor.shape()));
  return deviance;
}

/// Largest |min(b, 1 − Φ)| over all modes by the definition, columns of unit sum, b with the component totals.
double direct_kkt(const DenseTensor& tensor, const CpResult& result, KruskalTensor model) {
  const auto rank = static_cast<std::size_t>(model.rank());
  for (auto& factor : model.factors)
    for (std::size_t r = 0; r < rank; ++r) {
      double sum = 0;
      for (Index i = 0; i < factor.rows(); ++i) sum += factor(i, static_cast<Index>(r));
      for (Index i = 0; sum > 0 && i < factor.rows(); ++i) factor(i, static_cast<Index>(r)) /= sum;
    }
  model.weights = result.component_totals;
  double largest = 0;
  for (std::size_t mode = 0; mode < model.factors.size(); ++mode) {
    FactorMatrix phi(model.factors[mode].rows(), model.rank());
    std::vector<Index> cell(tensor.shape().size(), 0);
    do {
      if (tensor(cell) == 0) continue;
      const double ratio = tensor(cell) / model(cell);
      for (Index r = 0; r < model.rank(); ++r) {
        double product = ratio;
        for (std::size_t other = 0; other < cell.size(); ++other)
          if (other != mode) product *= model.factors[other](cell[other], r);
        phi(cell[mode], r) += product;
      }
    } while (next_cell(cell, tensor.shape()));
    for (Index i = 0; i < phi.rows(); ++i)
      for (std::size_t r = 0; r < rank; ++r) {
        if (model.weights[r] == 0) continue;
        const auto column = static_cast<Index>(r);
        largest = std::max(largest,
                           std::abs(std::min(model.factors[mode](i, column) * model.weights[r], 1 - phi(i, column))));
      }
  }
  return largest;
}

CpOptions options_for(Index rank, CountSolver solver, int iterations) {
  CpOptions options;
  options.rank = rank;
  options.count_solver = solver;
  options.iterations = iterations;
  options.tolerance = 0;
  return options;
}

TEST(CpApr, OneComponentIsTheProductOfTheMargins) {
  const Communicator world(MPI_COMM_WORLD);
  for (const std::vector<Index>& shape : {std::vector<Index>{6, 5}, {5, 4, 3}, {4, 1, 3, 2}}) {
    const DenseTensor tensor = test::count_draws(count_model(shape, 2, 200, 3), 3);
    const double total = std::accumulate(tensor.values().begin(), tensor.values().end(), 0.0);
    KruskalTensor margins{{total}, {}};
    for (std::size_t mode = 0; mode < shape.size(); ++mode) {
      FactorMatrix margin(shape[mode], 1);
      std::vector<Index> cell(shape.size(), 0);
      do margin(cell[mode], 0) += tensor(cell) / total;
      while (next_cell(cell, shape));
      margins.factors.push_back(std::move(margin));
    }
    const double expected = direct_deviance(tensor, margins);
    for (CountSolver solver : kSolvers)
      for (const auto& spread :
           {test::distributed(world, tensor), test::distributed(world, test::positive_cells(tensor))}) {
        const CpResult result = cp_apr(*spread, options_for(1, solver, 20));
        EXPECT_NEAR(result.deviance.value(), expected, 1e-10 * expected);
        EXPECT_NEAR(result.component_totals.at(0), total, 1e-10 * total);
        const KruskalTensor model = test::gathered(*spread, result);
        std::vector<Index> cell(shape.size(), 0);
        do EXPECT_NEAR(model(cell), margins(cell), 1e-10 * total);
        while (next_cell(cell, shape));
      }
  }
}

TEST(CpApr, ReachesTheConditionsOfKarushKuhnTuckerAndWeightsAddUpToTheTotal) {
  const Communicator world(MPI_COMM_WORLD);
  for (const auto& [shape, rank, sweeps] :
       {std::tuple{std::vector<Index>{7, 6, 5}, Index{2}, 800}, {std::vector<Index>{5, 4, 4, 3}, Index{3}, 3000}}) {
    const DenseTensor tensor = test::count_draws(count_model(shape, rank, 2000, 5), 5);
    const double total = std::accumulate(tensor.values().begin(), tensor.values().end(), 0.0);
    for (CountSolver solver : kSolvers) {
      const auto spread = test::distributed(world, test::positive_cells(tensor));
      const CpResult result = cp_apr(*spread, options_for(rank, solver, sweeps));
      EXPECT_LE(result.kkt_violation, 1e-8);
      const KruskalTensor model = test::gathered(*spread, result);
      EXPECT_LE(direct_kkt(tensor, result, model), 1e-8);
      EXPECT_NEAR(std::accumulate(result.component_totals.begin(), result.component_totals.end(), 0.0), total,
                  1e-9 * total);
      EXPECT_NEAR(result.deviance.value(), direct_deviance(tensor, model), 1e-9 * result.deviance.value());
      EXPECT_NEAR(result.fit, test::direct_fit(tensor, model), 1e-10);
    }
  }
}

TEST(CpApr, RecoversPlantedCounts) {
  const Communicator world(MPI_COMM_WORLD);
  for (const auto& [shape, rank, total] :
       {std::tuple{std::vector<Index>{20, 17, 15}, Index{3}, 2e5}, {std::vector<Index>{12, 10, 9, 8}, Index{4}, 4e5}}) {
    const KruskalTensor truth = count_model(shape, rank, total, 7);
    const DenseTensor tensor = test::count_draws(truth, 7);
    for (CountSolver solver : kSolvers) {
      CpOptions options = options_for(rank, solver, 300);
      options.tolerance = 1e-7;
      options.restarts = 3;
      const auto sparse = test::distributed(world, test::positive_cells(tensor));
      const CpResult from_sparse = cp_apr(*sparse, options);
      EXPECT_GE(test::factor_match_score(truth, test::gathered(*sparse, from_sparse)), 0.99);
      EXPECT_LE(from_sparse.deviance.value(), direct_deviance(tensor, truth)) << "maximum likelihood";
      EXPECT_EQ(from_sparse.restart_deviances.size(), 3u);
      EXPECT_EQ(*std::min_element(from_sparse.restart_deviances.begin(), from_sparse.restart_deviances.end()),
                from_sparse.deviance.value());
      const auto dense = test::distributed(world, tensor);
      const CpResult from_dense = cp_apr(*dense, options);
      EXPECT_NEAR(from_dense.deviance.value(), from_sparse.deviance.value(), 1e-6 * from_dense.deviance.value());
    }
  }
}

TEST(CpApr, DevianceNeverRises) {
  const Communicator world(MPI_COMM_WORLD);
  const DenseTensor tensor = test::count_draws(count_model({12, 10, 9}, 4, 1500, 9), 9);
  for (CountSolver solver : kSolvers) {
    double previous = 1e300;
    CpObserver observer;
    observer.progress = [&](const CpStep& step) {
      EXPECT_LE(step.deviance.value(), previous * (1 + 1e-12)) << "sweep " << step.iteration;
      EXPECT_GE(step.change, -1e-12);
      previous = *step.deviance;
    };
    cp_apr(*test::distributed(world, test::positive_cells(tensor)), options_for(5, solver, 80), observer);
  }
}

// Every number of ranks, on groups of their own inside one run; sparse with some cells, with all cells, and dense.
TEST(CpApr, NeitherRanksNorStorageChangeTheModel) {
  const Communicator world(MPI_COMM_WORLD);
  const DenseTensor tensor = test::count_draws(count_model({14, 12, 10}, 3, 3000, 11), 11);
  for (CountSolver solver : kSolvers) {
    std::vector<double> deviances, fits;
    for (int ranks = 1; ranks <= world.size(); ++ranks) {
      const Communicator group = world.split_independent(world.rank() < ranks ? 0 : 1, 0);
      std::vector<double> mine;
      for (const auto& spread : {test::distributed(group, tensor), test::distributed(group, test::every_cell(tensor)),
                                 test::distributed(group, test::positive_cells(tensor))}) {
        const CpResult result = cp_apr(*spread, options_for(3, solver, 60));
        mine.insert(mine.end(), {result.deviance.value(), result.fit});
      }
      world.broadcast(std::span<double>(mine), 0);
      for (std::size_t k = 0; k < mine.size(); k += 2) {
        deviances.push_back(mine[k]);
        fits.push_back(mine[k + 1]);
      }
    }
    for (double deviance : deviances) EXPECT_NEAR(deviance, deviances.front(), 1e-10 * deviances.front());
    for (double fit : fits) EXPECT_NEAR(fit, fits.front(), 1e-10 * fits.front());
  }
}

TEST(CpApr, EqualRanksGiveEqualBits) {
  const Communicator world(MPI_COMM_WORLD);
  const SparseTensor tensor = test::positive_cells(test::count_draws(count_model({14, 12, 10}, 3, 900, 12), 12));
  for (CountSolver solver : kSolvers) {
    std::vector<KruskalTensor> models;
    for (int run = 0; run < 2; ++run) {
      const auto spread = test::distributed(world, tensor);
      CpOptions options = options_for(4, solver, 15);
      options.restarts = 2;
      models.push_back(test::gathered(*spread, cp_apr(*spread, options)));
    }
    EXPECT_EQ(models[0].weights, models[1].weights);
    for (std::size_t mode = 0; mode < 3; ++mode)
      EXPECT_EQ(test::relative_difference(models[0].factors[mode], models[1].factors[mode]), 0.0);
  }
}

TEST(CpApr, EmptySlicesBecomeZeroRowsAndTooManyComponentsDie) {
  const Communicator world(MPI_COMM_WORLD);
  DenseTensor tensor({5, 4, 3});
  tensor(std::vector<Index>{1, 2, 0}) = 7;
  tensor(std::vector<Index>{3, 2, 2}) = 2;
  for (CountSolver solver : kSolvers)
    for (const auto& spread :
         {test::distributed(world, tensor), test::distributed(world, test::positive_cells(tensor))}) {
      const CpResult result = cp_apr(*spread, options_for(4, solver, 200));
      EXPECT_LE(result.deviance.value(), 1e-6) << "rank 2 is exact";
      const KruskalTensor model = test::gathered(*spread, result);
      std::vector<Index> cell(3, 0);
      do {
        EXPECT_TRUE(std::isfinite(model(cell)));
        if (cell[0] != 1 && cell[0] != 3) {
          EXPECT_EQ(model(cell), 0.0);
        }
      } while (next_cell(cell, tensor.shape()));
    }
}

TEST(CpApr, AZeroTensorHasTheZeroModel) {
  const Communicator world(MPI_COMM_WORLD);
  const CpResult result =
      cp_apr(*test::distributed(world, DenseTensor({3, 4, 5})), options_for(2, CountSolver::automatic, 5));
  EXPECT_EQ(result.deviance.value(), 0.0);
  EXPECT_EQ(result.component_totals, std::vector<double>(2, 0.0));
  EXPECT_EQ(result.notes.size(), 1u);
}

TEST(CpApr, RefusesWhatIsNoCountNamingTheFirstCell) {
  const Communicator world(MPI_COMM_WORLD);
  DenseTensor tensor({4, 3, 5});
  tensor(std::vector<Index>{3, 0, 1}) = -2;
  tensor(std::vector<Index>{1, 2, 4}) = 0.5;
  tensor(std::vector<Index>{0, 0, 0}) = 3;
  for (const auto& spread : {test::distributed(world, tensor), test::distributed(world, test::every_cell(tensor))}) {
    try {
      cp_apr(*spread, options_for(2, CountSolver::automatic, 5));
      ADD_FAILURE() << "not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), Category::input);
      EXPECT_EQ(error.what_is_wrong(),
                "cell (1, 2, 4), counted from 0, holds 0.5: --loss poisson takes counts, whole numbers from 0 up");
    }
  }
}

TEST(CpApr, FindsTheKnownDeviancesOfContingencyTables) {
  const Communicator world(MPI_COMM_WORLD);
  struct Table {
    const char* name;
    double deviance[3];  // rank 1 in closed form, ranks 2 and 3 best of many starts
  };
  for (const Table& table : {Table{"HairEyeColor", {166.30013950048695, 31.848931, 9.284384}},
                             {"UCBAdmissions", {2097.67121241707, 343.629586, 66.488098}},
                             {"Titanic", {1243.6632311919006, 351.620440, 102.513973}}})
    for (const char* format : {".npy", ".tns"}) {
      TEMPERA_REQUIRE_DATA(path, std::string("contingency-tables/") + table.name + format);
      const AnyTensor tensor = read_tensor(TensorFile::parse(path.string()));
      const auto spread = std::visit([&](const auto& whole) { return test::distributed(world, whole); }, tensor);
      for (CountSolver solver : kSolvers) {
        CpOptions options = options_for(1, solver, 20);
        const double rank_one = cp_apr(*spread, options).deviance.value();
        EXPECT_NEAR(rank_one, table.deviance[0], 1e-10 * table.deviance[0]) << path;
        if (solver == CountSolver::multiplicative) continue;  // slow to the last digits
        for (int rank : {2, 3}) {
          options = options_for(rank, solver, 3000);
          options.tolerance = 1e-13;
          options.restarts = 8;
          const double found = cp_apr(*spread, options).deviance.value();
          EXPECT_NEAR(found, table.deviance[rank - 1], 1e-6) << path << " rank " << rank;
        }
      }
    }
}

}  // namespace
}  // namespace tempera
