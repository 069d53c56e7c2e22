#include "distributed/als/cp_observed_sweep.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/io/tensor_file.hpp"
#include "distributed/als/cp_run.hpp"
#include "distributed/tensor/load.hpp"
#include "tests/mpi/als/observed_cells.hpp"
#include "tests/support/data.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

using test::cell_of;
using test::everywhere;
using test::observed;
using test::options_for;
using test::planted_positive;
using test::spread;
using test::squares;
using testing::Contains;
using testing::HasSubstr;

// The last mode is updated last: its rows must be the least-squares rows given the others, solved here by elimination.
TEST(CpObserved, LastRowsSolveTheLeastSquaresOfTheirObservedCells) {
  const Communicator world(MPI_COMM_WORLD);
  constexpr Index kRank = 3;
  for (const std::vector<Index>& shape : {std::vector<Index>{9, 8, 7}, {6, 5, 4, 5}, {30, 20}}) {
    const SparseTensor tensor = observed(test::random_dense(shape, 5), 0.6, 6);
    const auto tensors = spread(world, tensor);
    const KruskalTensor model = test::gathered(*tensors, cp_als(*tensors, options_for(kRank, 4)));
    const int last = tensor.order() - 1;
    FactorMatrix gradient(shape.back(), kRank), scale = gradient;
    for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k) {
      const std::vector<Index> cell = cell_of(tensor, k);
      const double residual = tensor.values()[k] - model(cell);
      for (Index r = 0; r < kRank; ++r) {
        double pi = 1;
        for (int mode = 0; mode < last; ++mode)
          pi *= model.factors[static_cast<std::size_t>(mode)](cell[static_cast<std::size_t>(mode)], r);
        gradient(cell.back(), r) += residual * pi;
        scale(cell.back(), r) += std::abs(tensor.values()[k] * pi);
      }
    }
    for (Index i = 0; i < gradient.rows(); ++i)
      for (Index r = 0; r < kRank; ++r)
        EXPECT_LE(std::abs(gradient(i, r)), 1e-10 * (scale(i, r) + 1e-3)) << "row " << i << " component " << r;
  }
}

TEST(CpObserved, FitAndObjectiveAreThoseOfTheObservedCellsOnEveryGrid) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{9, 8, 7};
  const SparseTensor tensor = observed(test::random_dense(shape, 8), 0.4, 9);
  for (const auto& grid : test::grids_to_try(world.size(), shape)) {
    const auto tensors = spread(world, tensor, grid);
    ASSERT_TRUE(tensors->only_observed());
    const CpResult result = cp_als(*tensors, options_for(2, 5));
    const auto [residual, norm] = squares(tensor, test::gathered(*tensors, result));
    EXPECT_NEAR(result.fit, 1 - std::sqrt(residual / norm), 1e-12);
    EXPECT_NEAR(result.objective, residual, 1e-11 * residual);
  }
}

TEST(CpObserved, WithEveryCellObservedItIsPlainLeastSquares) {
  const Communicator world(MPI_COMM_WORLD);
  const DenseTensor tensor = test::random_dense({8, 7, 6}, 3);
  const auto plain = test::distributed(world, tensor);
  CpOptions options = options_for(3, 12);
  options.constraints = everywhere(Constraint::none, 3);
  const double expected = cp_als(*plain, options).fit;
  const auto full = spread(world, test::every_cell(tensor));
  EXPECT_FALSE(full->only_observed());
  EXPECT_NEAR(cp_als(*full, options).fit, expected, 1e-11);
  CpResult result;  // the rows' own equations, though all are the same
  result.rows.resize(3);
  if (full->active()) {
    CpObservedSweep sweep(*full, options);
    CpRun(*full, options, {}, sweep).run(nullptr, result);
    EXPECT_NEAR(result.fit, expected, 1e-11);
  }
}

TEST(CpObserved, RecoversAPlantedModelFromThirtyPercentOfTheCells) {
  const Communicator world(MPI_COMM_WORLD);
  const KruskalTensor truth = planted_positive({20, 18, 16}, 3, 31);
  const DenseTensor whole = test::planted(truth, 0, 0);
  const SparseTensor tensor = observed(whole, 0.3, 4);
  for (const Constraint& constraint : {Constraint::none, Constraint::nonnegative}) {
    CpOptions options = options_for(3, 1000, 1e-10);
    options.constraints = everywhere(constraint, 3);
    options.restarts = 3;
    const auto tensors = spread(world, tensor);
    const CpResult result = cp_als(*tensors, options);
    const KruskalTensor model = test::gathered(*tensors, result);
    EXPECT_GE(result.fit, 1 - 1e-5);
    EXPECT_GE(test::direct_fit(whole, model), 1 - 1e-4) << "the cells that were not seen";
    EXPECT_GE(test::factor_match_score(truth, model), 0.999);
    EXPECT_TRUE(result.notes.empty()) << result.notes.front();
  }
}

TEST(CpObserved, CompletesARankOneTableWhoseAnswerIsKnown) {
  const Communicator world(MPI_COMM_WORLD);
  // 1 2 .
  // 2 4 6     the missing ones are 3 and 8
  // 4 . 12
  SparseTensor table({3, 3});
  const double values[3][3] = {{1, 2, 3}, {2, 4, 6}, {4, 8, 12}};
  for (Index i = 0; i < 3; ++i)
    for (Index j = 0; j < 3; ++j)
      if (!(i == 0 && j == 2) && !(i == 2 && j == 1)) table.append(std::vector<Index>{i, j}, values[i][j]);
  const auto tensors = spread(world, table);
  const CpResult result = cp_als(*tensors, options_for(1, 500, 1e-14));
  const KruskalTensor model = test::gathered(*tensors, result);
  EXPECT_NEAR(model(std::vector<Index>{0, 2}), 3, 1e-6);
  EXPECT_NEAR(model(std::vector<Index>{2, 1}), 8, 1e-6);
  EXPECT_GE(result.fit, 1 - 1e-7);
}

TEST(CpObserved, StoredZerosAreObservedOnes) {
  const Communicator world(MPI_COMM_WORLD);
  // 1 1 1
  // 0 1 .     without its 0 this would be the rank-1 table of ones
  SparseTensor table({2, 3});
  for (Index i = 0; i < 2; ++i)
    for (Index j = 0; j < 3 - i; ++j) table.append(std::vector<Index>{i, j}, i == 1 && j == 0 ? 0.0 : 1.0);
  const auto tensors = spread(world, table);
  EXPECT_EQ(tensors->stored_cells(), 5);
  EXPECT_GT(cp_als(*tensors, options_for(1, 50)).relative_error, 0.1);
}

TEST(CpObserved, ObjectiveNeverRisesUnderAnyConstraintItTakes) {
  const Communicator world(MPI_COMM_WORLD);
  const SparseTensor tensor = observed(test::planted(planted_positive({12, 10, 9}, 3, 7), 0.1, 8), 0.35, 9);
  const auto tensors = spread(world, tensor);
  for (const Constraint& c :
       {Constraint::none, Constraint{.ridge = 0.1}, Constraint::nonnegative,
        Constraint{.l1 = 0.05, .ridge = 0.01, .lower = 0}, Constraint{.l1 = 0.1}, Constraint{.lower = 0, .upper = 1}}) {
    CpOptions options = options_for(3, 60);
    options.constraints = everywhere(c, 3);
    std::vector<double> objectives;
    CpObserver observer;
    observer.progress = [&](const CpStep& step) { objectives.push_back(step.objective); };
    const CpResult result = cp_als(*tensors, options, observer);
    for (std::size_t k = 1; k < objectives.size(); ++k)
      EXPECT_LE(objectives[k], objectives[k - 1] * (1 + 1e-11)) << to_text(c) << " sweep " << k;
    const KruskalTensor model = test::gathered(*tensors, result);
    double expected = squares(tensor, model).first;
    for (const FactorMatrix& factor : model.factors)
      for (const double value : factor.storage()) {
        expected += c.l1 * std::abs(value) + c.ridge * value * value;
        EXPECT_TRUE(value >= std::min(0.0, c.lower) && value <= c.upper) << to_text(c);
      }
    EXPECT_NEAR(result.objective, expected, 1e-10 * expected) << to_text(c);
  }
}

// A mode of fixed scale beside cones: the weights belong to its model.
TEST(CpObserved, BoxesAndConesMayStandSideBySide) {
  const Communicator world(MPI_COMM_WORLD);
  const SparseTensor tensor = observed(test::planted(planted_positive({12, 10, 9}, 2, 17), 0.05, 8), 0.5, 3);
  const auto tensors = spread(world, tensor);
  CpOptions options = options_for(2, 300, 1e-9);
  options.constraints = {Constraint{.lower = 0, .upper = 1}, Constraint::nonnegative, Constraint::none};
  const CpResult result = cp_als(*tensors, options);
  const auto [residual, norm] = squares(tensor, test::gathered(*tensors, result));
  EXPECT_NEAR(result.fit, 1 - std::sqrt(residual / norm), 1e-11);
  EXPECT_GE(result.fit, 0.9);
}

TEST(CpObserved, TheRankCountChangesRoundingOnly) {
  const Communicator world(MPI_COMM_WORLD);
  const Communicator alone = Communicator::self();
  const SparseTensor tensor = observed(test::planted(planted_positive({14, 12, 11}, 3, 27), 0.1, 8), 0.4, 9);
  for (const Constraint& c :
       {Constraint::none, Constraint{.ridge = 0.1}, Constraint::nonnegative, Constraint{.lower = 0, .upper = 1}}) {
    CpOptions options = options_for(3, 40);
    options.constraints = everywhere(c, 3);
    options.restarts = 2;
    EXPECT_NEAR(cp_als(*spread(world, tensor), options).fit, cp_als(*spread(alone, tensor), options).fit, 1e-10)
        << to_text(c);
  }
}

TEST(CpObserved, RowsWithFewOrNoObservationsAreSolvedAndSaid) {
  const Communicator world(MPI_COMM_WORLD);
  SparseTensor tensor = observed(test::random_dense({8, 7, 6}, 4), 0.5, 2, 3);
  std::vector<Index> shape = tensor.shape();
  shape[2] = 7;
  tensor.enlarge(shape);
  tensor.append(std::vector<Index>{0, 0, 6}, 2.0);  // the only one of its slice
  const auto tensors = spread(world, tensor);
  CpOptions options = options_for(2, 10);
  const CpResult result = cp_als(*tensors, options);
  EXPECT_THAT(result.notes, Contains(HasSubstr("1 of 8 rows of mode 0 have no observed cell: they are zero")));
  EXPECT_THAT(result.notes, Contains(HasSubstr("1 of 7 rows of mode 2 have fewer observed cells than the rank of 2")));
  const KruskalTensor model = test::gathered(*tensors, result);
  EXPECT_NEAR(model(std::vector<Index>{0, 0, 6}), 2.0, 1e-6);
  for (Index r = 0; r < 2; ++r) EXPECT_EQ(model.factors[0](3, r), 0.0);
  options.constraints = everywhere(Constraint{.ridge = 0.01}, 3);
  const CpResult determined = cp_als(*tensors, options);
  EXPECT_THAT(determined.notes, Not(Contains(HasSubstr("fewer observed cells"))));
}

TEST(CpObserved, HoldoutKeepsObservedCellsApart) {
  const Communicator world(MPI_COMM_WORLD);
  const SparseTensor tensor = observed(test::planted(planted_positive({14, 12, 11}, 2, 5), 0.1, 8), 0.5, 9);
  const auto tensors = spread(world, tensor, {}, {0.2, 3});
  const CpResult result = cp_als(*tensors, options_for(2, 30));
  ASSERT_TRUE(result.holdout);
  ASSERT_EQ(result.holdout->strata.size(), 1u);
  const StratumScore& score = result.holdout->strata[0];
  EXPECT_EQ(score.name, "observed cells");
  EXPECT_EQ(score.cells, static_cast<double>(tensor.nonzeros()));
  EXPECT_NEAR(static_cast<double>(score.held), 0.2 * score.cells, 0.06 * score.cells);
  const KruskalTensor model = test::gathered(*tensors, result);
  double held = 0, kept = 0, norm = 0;
  Index count = 0;
  for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k) {
    const std::vector<Index> cell = cell_of(tensor, k);
    const double squared = std::pow(tensor.values()[k] - model(cell), 2);
    if (is_held(cell, {0.2, 3})) {
      held += squared;
      ++count;
    } else {
      kept += squared;
      norm += std::pow(tensor.values()[k], 2);
    }
  }
  EXPECT_EQ(score.held, count);
  EXPECT_NEAR(score.mean, held / static_cast<double>(count), 1e-10);
  EXPECT_NEAR(result.fit, 1 - std::sqrt(kept / norm), 1e-11);
}

TEST(CpObserved, WhatItCannotMeetIsRefusedWithTheReason) {
  const Communicator world(MPI_COMM_WORLD);
  const auto tensors = spread(world, observed(test::random_dense({5, 4, 3}, 4), 0.5, 2));
  const auto message = [&](const CpOptions& options) -> std::string {
    try {
      check_observed_options(*tensors, options);
    } catch (const Error& error) {
      return error.where() + ": " + error.what_is_wrong();
    }
    return "";
  };
  CpOptions options = options_for(2, 5);
  EXPECT_EQ(message(options), "");
  options.extrapolation = true;
  EXPECT_EQ(message(options), "--extrapolation: does not go with --missing unobserved");
  options = options_for(2, 5);
  options.damping_in_swamps = true;
  EXPECT_EQ(message(options), "--damping: does not go with --missing unobserved");
  options = options_for(2, 5);
  options.constraints = {Constraint::none, Constraint{.smooth = 1}, Constraint::none};
  EXPECT_THAT(message(options), HasSubstr("in mode 1 does not go with --missing unobserved: the rows of a mode"));
  options.constraints = {Constraint::none, Constraint{.ridge = 1}, Constraint::none};
  EXPECT_THAT(message(options), HasSubstr("a penalty has to be on every mode"));
  options.constraints = everywhere(Constraint::nonnegative, 3);
  options.solver = Solver::hals;
  EXPECT_THAT(message(options), HasSubstr("one Gram matrix"));
}

TEST(CpObserved, AminoAcidsAreFoundFromAThirdOfTheirCells) {
  TEMPERA_REQUIRE_DATA(path, "aminoacid-fluorescence/aminoacids.npy");
  const Communicator world(MPI_COMM_WORLD);
  const AnyTensor whole = read_tensor(TensorFile::parse(path.string()));
  const DenseTensor& tensor = std::get<DenseTensor>(whole);
  CpOptions options = options_for(3, 500, 1e-8);
  options.restarts = 2;
  const auto all = test::distributed(world, tensor);
  const KruskalTensor full = test::gathered(*all, cp_als(*all, options));
  const auto third = spread(world, observed(tensor, 1.0 / 3, 12));
  const CpResult result = cp_als(*third, options);
  EXPECT_NEAR(result.fit, 0.9750, 1e-3);
  const KruskalTensor model = test::gathered(*third, result);
  EXPECT_GE(test::factor_match_score(full, model), 0.995);
  EXPECT_NEAR(test::direct_fit(tensor, model), 0.97495, 1e-3) << "the cells that were not seen";
}

// Signalling responses with whole fibres missing. Reference fits over the observed cells come with the data.
TEST(CpObserved, ResponsesWithMissingFibresHaveTheDocumentedFits) {
  TEMPERA_REQUIRE_DATA(path, "il2-response/il2_response.npy");
  test::on_all_ranks([&](const Communicator& world) {
    LoadOptions load;
    load.distribution.missing = Missing::unobserved;
    const auto tensor = load_tensor(world, path.string(), load);
    EXPECT_TRUE(tensor->only_observed());
    EXPECT_EQ(tensor->stored_cells(), 4992 - 192);
    EXPECT_NEAR(std::sqrt(tensor->norm_squared()), 18.436781202632684, 1e-12);
    const double fits[] = {0.597391, 0.681578, 0.750211};
    for (int rank = 1; rank <= 3; ++rank) {
      CpOptions options = options_for(rank, 1000, 1e-8);
      options.constraints = everywhere(Constraint::nonnegative, 4);
      options.restarts = rank == 1 ? 1 : 6;
      EXPECT_NEAR(cp_als(*tensor, options).fit, fits[rank - 1], 2e-6) << rank;
    }
    EXPECT_NEAR(cp_als(*tensor,
                       [] {
                         CpOptions options = options_for(2, 2000, 1e-9);
                         options.restarts = 4;
                         return options;
                       }())
                    .fit,
                0.681755, 2e-6);
  });
}

}  // namespace
}  // namespace tempera
