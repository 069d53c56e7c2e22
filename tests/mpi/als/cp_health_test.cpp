#include "distributed/als/cp_health.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/io/npy.hpp"
#include "distributed/als/cp_als.hpp"
#include "tests/support/data.hpp"
#include "tests/support/distributed.hpp"

namespace tempera {
namespace {

/// a⊗a⊗b + a⊗b⊗a + b⊗a⊗a: of rank 3, with models of rank 2 as near as one likes and none the nearest (de Silva & Lim
/// 2008).
DenseTensor without_best_approximation() {
  DenseTensor tensor({4, 3, 5});
  for (const std::vector<Index>& cell : {std::vector<Index>{0, 0, 1}, {0, 1, 0}, {1, 0, 0}}) tensor(cell) = 1;
  return tensor;
}

/// A start that falls into a swamp (Mitchell & Burdick 1994): the fit stands at 0.688 from sweep 9 on and rises to 0.908
/// after 27,858 sweeps.
DenseTensor with_swamp() {
  return test::planted({{3, 2, 1}, test::random_factors({9, 8, 7}, 3, 4)}, 0.1, 7);
}

CpOptions options_for(Index rank, int iterations, double tolerance) {
  CpOptions options;
  options.rank = rank;
  options.iterations = iterations;
  options.tolerance = tolerance;
  return options;
}

TEST(CpHealth, ATensorWithoutABestApproximationIsDegenerate) {
  const Communicator world(MPI_COMM_WORLD);
  const auto spread = test::distributed(world, without_best_approximation());
  CpOptions options = options_for(2, 300, 1e-6);
  EXPECT_TRUE(cp_als(*spread, options).health.degenerate) << "on the way there";
  options.extrapolation = true;
  options.iterations = 600;
  const CpHealth health = cp_als(*spread, options).health;
  EXPECT_TRUE(health.degenerate);
  EXPECT_LT(health.least_cosine_product, kOpposed);
  EXPECT_GT(health.growth, kStillGrowing);
  EXPECT_GT(health.cancellation, 50);
  EXPECT_EQ(health.opposed[0] + health.opposed[1], 1);
  // With what forbids cancelling, or gives norms a price, it is sound.
  CpOptions nonnegative = options_for(2, 500, 1e-6);
  nonnegative.constraints.assign(3, Constraint::nonnegative);
  EXPECT_FALSE(cp_als(*spread, nonnegative).health.degenerate);
  CpOptions orthogonal = options_for(2, 500, 1e-6);
  orthogonal.constraints = parse_constraints(std::vector<std::string>{"orthogonal@0"}, 3);
  EXPECT_FALSE(cp_als(*spread, orthogonal).health.degenerate);
  CpOptions ridge = options_for(2, 2000, 1e-9);
  ridge.constraints = parse_constraints(std::vector<std::string>{"ridge:0.01"}, 3);
  EXPECT_FALSE(cp_als(*spread, ridge).health.degenerate);
}

TEST(CpHealth, AFitThatStandsStillWhileTheFactorsMoveIsASwampAndExtrapolationLeavesIt) {
  const Communicator world(MPI_COMM_WORLD);
  const auto spread = test::distributed(world, with_swamp());
  CpOptions options = options_for(3, 60, 0);
  const CpResult plain = cp_als(*spread, options);
  EXPECT_TRUE(plain.health.swamp);
  EXPECT_GE(plain.health.swamp_sweeps, 45);
  EXPECT_GT(plain.health.movement, kMoving);
  EXPECT_FALSE(plain.health.degenerate);
  EXPECT_LT(plain.fit, 0.69);
  options.extrapolation = true;
  options.iterations = 900;
  EXPECT_GT(cp_als(*spread, options).fit, 0.9);
}

TEST(CpHealth, FindsNothingInSoundFits) {
  const Communicator world(MPI_COMM_WORLD);
  const auto expect_sound = [](const CpResult& result, const char* name) {
    EXPECT_FALSE(result.health.degenerate) << name;
    EXPECT_FALSE(result.health.swamp) << name << ": " << result.health.swamp_sweeps;
    EXPECT_GT(result.health.least_cosine_product, kOpposed) << name;
    EXPECT_EQ(result.dead_components, 0) << name;
    for (const double condition : result.health.conditions) EXPECT_LT(condition, 1e12) << name;
  };
  for (const double tolerance : {1e-6, 0.0}) {
    const auto planted =
        test::distributed(world, test::planted({{3, 2, 1}, test::random_factors({9, 8, 7}, 3, 5)}, 0.1, 7));
    expect_sound(cp_als(*planted, options_for(3, 200, tolerance)), "planted");
    const auto sparse = test::distributed(world, test::random_sparse({12, 10, 9}, 400, 3));
    expect_sound(cp_als(*sparse, options_for(3, 50, tolerance)), "sparse");
  }
}

TEST(CpHealth, AminoAcidsAreSound) {
  TEMPERA_REQUIRE_DATA(path, "aminoacid-fluorescence/aminoacids.npy");
  const Communicator world(MPI_COMM_WORLD);
  const CpResult result = cp_als(*test::distributed(world, read_npy(path)), options_for(3, 300, 0));
  EXPECT_FALSE(result.health.degenerate);
  EXPECT_FALSE(result.health.swamp);
  EXPECT_LT(result.health.cancellation, 2);
}

// A closed form: unit columns at an angle have the Gram matrix (1, c; c, 1), and H the product of two of them.
TEST(CpHealth, ConditionsAndCosinesAreThoseOfTheFactors) {
  CpStart start;
  start.weights = {2, 1};
  start.grams = {{1, 0.5, 0.5, 1}, {1, -0.8, -0.8, 1}, {1, 1, 1, 1}};
  const CpHealth health = health_of(start);
  EXPECT_NEAR(health.least_cosine_product, -0.4, 1e-15);
  EXPECT_NEAR(health.conditions[0], 1.8 / 0.2, 1e-12);
  EXPECT_NEAR(health.conditions[1], 1.5 / 0.5, 1e-12);
  EXPECT_NEAR(health.conditions[2], 1.4 / 0.6, 1e-12);
  EXPECT_NEAR(health.cancellation, (4 + 1) / (4 + 1 - 2 * 2 * 0.4), 1e-14);
  start.grams[1] = {1, 1, 1, 1};
  EXPECT_TRUE(std::isinf(health_of(start).conditions[0]));
}

/// Sweeps until the fit is this close to 1; the objective never climbs on the way.
int sweeps_until(const DistributedTensor& tensor, CpOptions options, double distance) {
  int sweeps = options.iterations;
  double previous = std::numeric_limits<double>::infinity();
  CpObserver observer;
  observer.progress = [&](const CpStep& step) {
    EXPECT_LE(step.objective, previous + 1e-12 * tensor.norm_squared()) << "sweep " << step.iteration;
    previous = step.objective;
    if (1 - step.fit <= distance) sweeps = std::min(sweeps, step.iteration);
  };
  observer.stop = [&] { return sweeps < options.iterations; };
  cp_als(tensor, options, observer);
  return sweeps;
}

TEST(Damping, ComesWithTheSwampWhereItIsAutomatic) {
  const Communicator world(MPI_COMM_WORLD);
  const auto spread = test::distributed(world, with_swamp());
  const auto objectives = [&](const CpOptions& options) {
    std::vector<double> all;
    CpObserver observer;
    observer.progress = [&](const CpStep& step) { all.push_back(step.objective); };
    cp_als(*spread, options, observer);
    return all;
  };
  CpOptions options = options_for(3, 60, 0);
  const std::vector<double> plain = objectives(options);
  options.damping_in_swamps = true;
  const std::vector<double> automatic = objectives(options);
  if (plain.empty()) return;  // a rank without data
  int same = 0;
  while (same < 60 && plain[static_cast<std::size_t>(same)] == automatic[static_cast<std::size_t>(same)]) ++same;
  EXPECT_GE(same, 20) << "nothing changes before 20 sweeps have stood still";
  EXPECT_LT(same, 40);
  for (std::size_t k = 1; k < automatic.size(); ++k) EXPECT_LE(automatic[k], automatic[k - 1] * (1 + 1e-12));
}

TEST(Damping, IsMonotoneUnderEveryWayToSolveAMode) {
  const Communicator world(MPI_COMM_WORLD);
  const auto spread =
      test::distributed(world, test::planted({{3, 2, 1}, test::random_factors({9, 8, 7}, 3, 4)}, 0.3, 7));
  for (const char* constraint : {"nonnegative", "norm", "orthogonal@0", "ridge:0.1", "row-simplex@1", "smooth:0.1@0"})
    for (const Solver solver : {Solver::automatic, Solver::bpp}) {
      if (solver == Solver::bpp && std::string(constraint) != "nonnegative") continue;
      SCOPED_TRACE(constraint);
      CpOptions options = options_for(3, 40, 0);
      options.constraints = parse_constraints(std::vector<std::string>{constraint}, 3);
      options.solver = solver;
      options.damping = 0.1;
      sweeps_until(*spread, options, 0);
      if (std::string(constraint).find("smooth") == 0) continue;  // other local minima
      // What is minimised stays what it was.
      options.iterations = 1500;
      const double damped = cp_als(*spread, options).objective;
      options.damping = 0;
      EXPECT_NEAR(damped, cp_als(*spread, options).objective, 1e-3 * spread->norm_squared());
    }
}

}  // namespace
}  // namespace tempera
