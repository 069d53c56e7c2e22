#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/base/error.hpp"
#include "core/base/random_stream.hpp"
#include "distributed/als/cp_als.hpp"
#include "tests/support/constrained.hpp"
#include "tests/support/distributed.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

using testing::HasSubstr;
using Texts = std::vector<std::string>;

struct Case {
  Texts texts;
  Solver solver = Solver::automatic;
  bool recovers = true;      ///< the planted model is the answer (not under penalties, which shrink it)
  double stationary = 1e-8;  ///< KKT residual reached
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Solver solver : {Solver::hals, Solver::bpp, Solver::admm}) {
    all.push_back({{"nonnegative"}, solver});
    all.push_back({{"nonnegative@1"}, solver});
    all.push_back({{"nonnegative", "l1:0.02", "ridge:0.01"}, solver, false});
  }
  const Case rest[] = {{{"ridge:0.05"}, Solver::automatic, false},
                       {{"l1:0.05@0", "ridge:0.05@1,2"}, Solver::automatic, false},
                       {{"l1:0.05@1"}, Solver::automatic, false},
                       {{"smooth:0.1@0"}, Solver::automatic, false},
                       {{"smooth:0.1@1", "nonnegative"}, Solver::automatic, false},
                       {{"row-simplex@0"}},
                       {{"row-simplex@2", "nonnegative@0,1"}},
                       {{"column-simplex@1"}},
                       {{"column-simplex"}},
                       {{"orthogonal@0"}},
                       {{"orthogonal@2", "nonnegative@0"}},
                       {{"orthogonal"}},
                       {{"unimodal@0"}},
                       {{"unimodal@1", "nonnegative"}},
                       {{"monotone@2"}},
                       {{"monotone@0", "nonnegative@0,1"}},
                       {{"box:0,1@1"}},
                       {{"box:-2,2"}},
                       {{"norm@1"}}};
  all.insert(all.end(), std::begin(rest), std::end(rest));
  return all;
}

/// All on one rank; on more, where every step is a message, each seventh. That ranks agree is a test of its own.
std::vector<Case> some_cases(const Communicator& world) {
  std::vector<Case> some;
  const std::vector<Case> all = cases();
  const auto step = static_cast<std::size_t>(world.size() == 1 ? 1 : 7);
  for (std::size_t k = static_cast<std::size_t>(world.size()) % step; k < all.size(); k += step) some.push_back(all[k]);
  return some;
}

CpOptions options_for(const Case& one, Index rank) {
  CpOptions options;
  options.rank = rank;
  options.constraints = parse_constraints(one.texts, 3);
  options.solver = one.solver;
  options.tolerance = 0;
  return options;
}

DenseTensor data_for(const CpOptions& options, double noise, KruskalTensor& truth) {
  const std::vector<Index> shape{12, 11, 10};
  truth = {};
  for (std::size_t mode = 0; mode < 3; ++mode)
    truth.factors.push_back(test::allowed_factor(shape[mode], options.rank, options.constraints[mode], 50 + mode));
  truth.weights.assign(static_cast<std::size_t>(options.rank), 1.0);
  return test::planted(truth, noise, 5);
}

std::string name_of(const Case& one) {
  std::string name = "solver " + std::to_string(static_cast<int>(one.solver));
  for (const auto& text : one.texts) name += " " + text;
  return name;
}

TEST(Constraints, EveryOneIsMetStationaryMonotoneAndRecoversThePlantedModel) {
  const Communicator world(MPI_COMM_WORLD);
  for (const Case& one : some_cases(world)) {
    SCOPED_TRACE(name_of(one));
    CpOptions options = options_for(one, 3);
    KruskalTensor truth;
    const DenseTensor tensor = data_for(options, 0.02, truth);
    const auto spread = test::distributed(world, tensor);
    options.restarts = world.size() == 1 ? 5 : 2;
    options.iterations = 1500;
    options.extrapolation = true;
    double previous = 0;
    CpObserver observer;
    observer.progress = [&](const CpStep& step) {
      if (step.iteration > 1) {
        EXPECT_LE(step.objective, previous + 1e-12 * spread->norm_squared()) << "sweep " << step.iteration;
      }
      previous = step.objective;
    };
    const CpResult result = cp_als(*spread, options, observer);
    const KruskalTensor model = test::gathered(*spread, result);
    EXPECT_NEAR(result.fit, test::direct_fit(tensor, model), 1e-10);
    std::vector<Constraint> effective = options.constraints;
    bound_free_modes(effective);
    for (int mode = 0; mode < 3; ++mode) {
      const Constraint& constraint = effective[static_cast<std::size_t>(mode)];
      const test::Subproblem problem = test::subproblem(tensor, model, constraint, mode);
      EXPECT_LE(test::infeasibility(model.factors[static_cast<std::size_t>(mode)], constraint), 1e-12)
          << "mode " << mode;
      EXPECT_LE(test::kkt_residual(problem, constraint), one.stationary) << "mode " << mode;
    }
    if (one.recovers) {
      EXPECT_GE(test::factor_match_score(truth, model), 0.99);
    }
  }
}

// Groups of every size inside one run; the second run on as many ranks gives the same bits.
TEST(Constraints, TheRankCountChangesRoundingOnly) {
  const Communicator world(MPI_COMM_WORLD);
  for (const Case& one : cases()) {
    SCOPED_TRACE(name_of(one));
    CpOptions options = options_for(one, 3);
    options.iterations = 25;
    KruskalTensor truth;
    const DenseTensor tensor = data_for(options, 0.1, truth);
    std::vector<double> first;
    for (int ranks = 1; ranks <= world.size(); ++ranks) {
      const Communicator group = world.split_independent(world.rank() < ranks ? 0 : 1, 0);
      std::vector<double> mine;
      for (int run = 0; run < 2; ++run) {
        const auto dense = test::distributed(group, tensor);
        const auto sparse = test::distributed(group, test::every_cell(tensor));
        mine.push_back(cp_als(*dense, options).objective);
        mine.push_back(cp_als(*sparse, options).objective);
      }
      EXPECT_EQ(mine[0], mine[2]);
      EXPECT_EQ(mine[1], mine[3]);
      world.broadcast(std::span<double>(mine), 0);
      if (first.empty()) first = mine;
      for (std::size_t k = 0; k < mine.size(); ++k)
        EXPECT_NEAR(mine[k], first[0], 1e-10 * first[0]) << ranks << " ranks";
    }
  }
}

// Slices without a nonzero: the optimality conditions of the tensor that stores their zeros hold in every row.
TEST(Constraints, RowsWithoutDataAreSolvedAsIfTheirZerosWereStored) {
  const Communicator world(MPI_COMM_WORLD);
  for (const Case& one : some_cases(world)) {
    SCOPED_TRACE(name_of(one));
    CpOptions options = options_for(one, 2);
    options.iterations = 3000;
    options.extrapolation = true;
    KruskalTensor truth;
    const DenseTensor full = data_for(options, 0.1, truth);
    SparseTensor sparse(full.shape());
    std::vector<Index> cell(3, 0);
    do
      if (cell[0] % 4 != 2 && cell[1] != 0 && cell[2] != 0) sparse.append(cell, full(cell));
    while (next_cell(cell, full.shape()));
    const DenseTensor dense = test::filled(sparse);
    const auto spread = test::distributed(world, sparse);
    const CpResult result = cp_als(*spread, options);
    const KruskalTensor model = test::gathered(*spread, result);
    EXPECT_NEAR(result.fit, test::direct_fit(dense, model), 1e-10);
    std::vector<Constraint> effective = options.constraints;
    bound_free_modes(effective);
    for (int mode = 0; mode < 3; ++mode) {
      const Constraint& constraint = effective[static_cast<std::size_t>(mode)];
      EXPECT_LE(test::infeasibility(model.factors[static_cast<std::size_t>(mode)], constraint), 1e-12)
          << "mode " << mode;
      EXPECT_LE(test::kkt_residual(test::subproblem(dense, model, constraint, mode), constraint), 1e-7)
          << "mode " << mode;
    }
  }
}

// With a penalty on one mode alone, growing the others must not make it vanish.
TEST(Constraints, APenaltyIsNotEvadedByRescaling) {
  const Communicator world(MPI_COMM_WORLD);
  for (const char* text : {"l1:0.5@0", "ridge:0.5@0", "smooth:0.5@0"}) {
    CpOptions options = options_for({{text}}, 2);
    KruskalTensor truth;
    const DenseTensor tensor = data_for(options, 0.1, truth);
    const auto spread = test::distributed(world, tensor);
    options.iterations = 300;
    const CpResult result = cp_als(*spread, options);
    const KruskalTensor model = test::gathered(*spread, result);
    for (std::size_t mode = 1; mode < 3; ++mode)
      for (Index r = 0; r < 2; ++r) {
        const auto column = test::column_of(model.factors[mode], r);
        double norm = 0;
        for (const double value : column) norm += value * value;
        EXPECT_LE(norm, 1 + 1e-12);
      }
    const double penalty = result.objective - std::pow(result.relative_error, 2) * spread->norm_squared();
    EXPECT_GE(penalty, 1e-3) << text;
    ASSERT_EQ(result.notes.size(), 1u);
    EXPECT_EQ(result.notes[0],
              "the columns of modes 1, 2 are bounded by norm 1: a penalty on another mode would mean nothing if they "
              "could grow");
  }
}

// The proximal step of so heavy a penalty leaves nothing, and the result says so.
TEST(Constraints, ComponentsThatAPenaltyRemovesAreCounted) {
  const Communicator world(MPI_COMM_WORLD);
  CpOptions options = options_for({{"nonnegative", "l1:1e6@0"}}, 3);
  options.iterations = 5;
  const auto spread = test::distributed(world, test::random_dense({6, 5, 4}, 1));
  const CpResult result = cp_als(*spread, options);
  EXPECT_EQ(result.dead_components, 3);
  EXPECT_EQ(result.fit, 0.0);
  EXPECT_EQ(result.objective, spread->norm_squared());
}

TEST(Constraints, WhatCannotHoldIsRefusedWithTheReason) {
  const Communicator world(MPI_COMM_WORLD);
  const auto spread = test::distributed(world, test::random_dense({3, 4, 5}, 1));
  const auto refusal = [&](const Texts& texts, Solver solver) {
    CpOptions options;
    options.rank = 4;
    options.constraints = parse_constraints(texts, 3);
    options.solver = solver;
    try {
      cp_als(*spread, options);
    } catch (const Error& error) {
      return error.message();
    }
    return std::string("accepted");
  };
  EXPECT_THAT(refusal({"orthogonal@0"}, Solver::automatic),
              HasSubstr("'orthogonal' in mode 0: 4 columns of length 3 cannot be orthogonal"));
  EXPECT_THAT(refusal({"row-simplex@1", "box:0,0.1@1"}, Solver::automatic), HasSubstr("cannot sum to 1"));
  EXPECT_THAT(refusal({"unimodal"}, Solver::bpp), HasSubstr("--solver: bpp solves nonnegative modes"));
  EXPECT_THAT(refusal({}, Solver::admm), HasSubstr("--solver: admm has nothing to solve"));
}

/// Sweeps until the fit is this close to 1.
int sweeps_until(const DistributedTensor& tensor, CpOptions options, double distance) {
  int sweeps = options.iterations;
  CpObserver observer;
  observer.progress = [&](const CpStep& step) {
    if (1 - step.fit <= distance) sweeps = std::min(sweeps, step.iteration);
  };
  observer.stop = [&] { return sweeps < options.iterations; };
  cp_als(tensor, options, observer);
  return sweeps;
}

// Components that are nearly parallel in every mode: plain sweeps creep.
TEST(Extrapolation, LeavesASwampInAFifthOfTheSweepsAndNeverClimbs) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{20, 20, 20};
  int plain_total = 0, fast_total = 0;
  for (std::uint64_t seed : {1, 2, 3}) {
    KruskalTensor truth{{1, 1, 1}, test::random_factors(shape, 3, seed)};
    for (auto& factor : truth.factors) {
      const FactorMatrix common = test::random_matrix(factor.rows(), 1, seed + 90);
      for (Index i = 0; i < factor.rows(); ++i)
        for (Index r = 0; r < 3; ++r) factor(i, r) = common(i, 0) + 0.35 * factor(i, r);  // cosines of about 0.9
    }
    const auto spread = test::distributed(world, test::planted(truth, 0, 0));
    CpOptions options;
    options.rank = 3;
    options.tolerance = 0;
    options.iterations = 5000;
    const int plain = sweeps_until(*spread, options, 1e-6);
    options.extrapolation = true;
    const int fast = sweeps_until(*spread, options, 1e-6);
    if (world.is_root()) std::printf("plain %d fast %d\n", plain, fast);
    plain_total += plain;
    fast_total += fast;
    options.iterations = 60;
    double previous = -1;
    CpObserver observer;
    observer.progress = [&](const CpStep& step) {
      if (step.iteration > 1) {
        EXPECT_GE(step.fit, previous - 1e-12);
      }
      previous = step.fit;
    };
    cp_als(*spread, options, observer);
  }
  EXPECT_GE(plain_total, 5 * fast_total);
}

}  // namespace
}  // namespace tempera
