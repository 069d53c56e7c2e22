#include "distributed/als/cp_starts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "core/base/error.hpp"
#include "distributed/als/cp_apr.hpp"
#include "tests/mpi/als/observed_cells.hpp"
#include "tests/support/distributed.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

DenseTensor data() {
  return test::planted({{3, 2, 1}, test::random_factors({9, 8, 7}, 3, 4)}, 0.3, 7);
}

CpOptions options_for(int restarts) {
  CpOptions options;
  options.rank = 3;
  options.tolerance = 0;
  options.iterations = 15;
  options.restarts = restarts;
  return options;
}

void expect_same(const CpResult& found, const CpResult& expected, double tolerance) {
  EXPECT_EQ(found.best_restart, expected.best_restart);
  EXPECT_EQ(found.iterations, expected.iterations);
  EXPECT_NEAR(found.fit, expected.fit, tolerance);
  ASSERT_EQ(found.restart_fits.size(), expected.restart_fits.size());
  for (std::size_t k = 0; k < found.restart_fits.size(); ++k)
    EXPECT_NEAR(found.restart_fits[k], expected.restart_fits[k], tolerance) << "start " << k;
}

TEST(CpStarts, GroupsOfAnySizeFindWhatAllRanksFindOneStartAfterTheOther) {
  const Communicator world(MPI_COMM_WORLD);
  const DenseTensor tensor = data();
  for (const bool sparse : {false, true})
    for (const char* constraint : {"", "nonnegative", "norm@1"}) {
      const auto on = [&](const Communicator& ranks) {
        return sparse ? test::distributed(ranks, test::every_cell(tensor)) : test::distributed(ranks, tensor);
      };
      CpOptions options = options_for(5);
      if (*constraint != 0) options.constraints = parse_constraints(std::vector<std::string>{constraint}, 3);
      const auto spread = on(world);
      const CpResult expected = cp_als(*spread, options);
      const KruskalTensor model = test::gathered(*spread, expected);
      options.group_tensor = on;
      for (int groups = 2; groups <= world.size() + 1; ++groups) {
        SCOPED_TRACE(std::to_string(groups) + " groups " + constraint);
        options.start_groups = groups;
        std::map<int, int> sweeps;
        CpObserver observer;
        observer.progress = [&](const CpStep& step) { EXPECT_EQ(step.iteration, ++sweeps[step.restart]); };
        const CpResult found = cp_als(*spread, options, observer);
        expect_same(found, expected, 1e-9);
        EXPECT_EQ(found.start_groups, std::min(groups, world.size()));
        EXPECT_GE(test::factor_match_score(model, test::gathered(*spread, found)), 1 - 1e-6);
        if (spread->active()) {
          EXPECT_EQ(sweeps.size(), 5u);
        }
        EXPECT_EQ(cp_als(*spread, options).fit, found.fit) << "the same ranks give the same bits";
      }
    }
}

TEST(CpStarts, HoldForCountsAndCellsKeptApart) {
  const Communicator world(MPI_COMM_WORLD);
  KruskalTensor means{{400, 200}, test::random_factors({9, 8, 7}, 2, 4)};
  for (auto& factor : means.factors)
    for (double& value : factor.storage()) value = std::abs(value);
  const SparseTensor counts = test::positive_cells(test::count_draws(means, 3));
  const auto on = [&](const Communicator& ranks) { return test::distributed(ranks, counts, {}, {0.1, 5}); };
  CpOptions options = options_for(4);
  options.rank = 2;
  const auto spread = on(world);
  const CpResult expected = cp_apr(*spread, options);
  options.group_tensor = on;
  options.start_groups = world.size();
  const CpResult found = cp_apr(*spread, options);
  expect_same(found, expected, 1e-9);
  ASSERT_TRUE(found.deviance && found.holdout && expected.holdout);
  EXPECT_NEAR(*found.deviance, *expected.deviance, 1e-8 * *expected.deviance);
  EXPECT_NEAR(found.holdout->mean, expected.holdout->mean, 1e-8);
  EXPECT_EQ(found.restart_deviances.size(), 4u);
}

TEST(CpStarts, HoldForObservedCells) {
  const Communicator world(MPI_COMM_WORLD);
  const SparseTensor cells = test::observed(data(), 0.6, 3);
  const auto on = [&](const Communicator& ranks) { return test::spread(ranks, cells); };
  CpOptions options = options_for(4);
  options.rank = 2;
  const auto spread = on(world);
  const CpResult expected = cp_als(*spread, options);
  options.group_tensor = on;
  options.start_groups = world.size();
  const CpResult found = cp_als(*spread, options);
  expect_same(found, expected, 1e-9);
  EXPECT_NEAR(found.health.least_cosine_product, expected.health.least_cosine_product, 1e-6);
  EXPECT_TRUE(found.health.conditions.empty()) << "each row has normal equations of its own";
}

// Rank 1 of a matrix-like tensor of rank 1: all starts end at the same fit, many in the same bits.
TEST(CpStarts, OfEqualStartsTheFirstIsKept) {
  const Communicator world(MPI_COMM_WORLD);
  const DenseTensor tensor = test::planted({{1}, test::random_factors({4, 4, 4}, 1, 4)}, 0.1, 6);
  const auto spread = test::distributed(world, tensor);
  CpOptions options = options_for(7);
  options.rank = 1;
  options.iterations = 60;
  options.group_tensor = [&](const Communicator& ranks) { return test::distributed(ranks, tensor); };
  for (const int groups : {1, world.size()}) {
    options.start_groups = groups;
    const CpResult result = cp_als(*spread, options);
    ASSERT_EQ(result.restart_fits.size(), 7u);
    for (int start = 0; start < 7; ++start) {
      const double fit = result.restart_fits[static_cast<std::size_t>(start)];
      EXPECT_LE(fit, result.fit);
      if (start < result.best_restart) {
        EXPECT_LT(fit, result.fit) << "start " << start << " was first";
      }
    }
  }
}

TEST(CpStarts, AFailureInOneGroupEndsAllWithItsMessage) {
  test::on_all_ranks([](const Communicator& world) {
    if (world.size() < 2) return;
    const auto spread = test::distributed(world, data());
    CpOptions options = options_for(4);
    options.start_groups = 2;
    int made = 0;
    options.group_tensor = [&](const Communicator& ranks) {
      ++made;
      if (world.rank() == world.size() - 1) throw Error(Category::environment, "", "no room in this group");
      return test::distributed(ranks, data());
    };
    std::string message;
    try {
      collectively(world, [&] { cp_als(*spread, options); });
    } catch (const Error& error) {
      message = error.message();
    }
    EXPECT_THAT(message, testing::HasSubstr("no room in this group")) << "on rank " << world.rank();
  });
}

TEST(CpStarts, AllGroupsStopAtTheSameSweepWhenOneRankIsAsked) {
  const Communicator world(MPI_COMM_WORLD);
  const auto spread = test::distributed(world, data());
  if (spread->grid().size() < world.size()) return;
  CpOptions options = options_for(4);
  options.start_groups = world.size();
  options.group_tensor = [&](const Communicator& ranks) { return test::distributed(ranks, data()); };
  std::map<int, int> sweeps;
  CpObserver observer;
  observer.progress = [&](const CpStep& step) { ++sweeps[step.restart]; };
  observer.stop = [&] { return sweeps[0] == 4 && world.rank() == world.size() - 1; };
  const CpResult result = cp_als(*spread, options, observer);
  EXPECT_EQ(result.stopped, StopReason::requested);
  EXPECT_EQ(result.iterations, 5);
  EXPECT_EQ(sweeps.size(), static_cast<std::size_t>(std::min(world.size(), 4)));
  for (const auto& [start, made] : sweeps) EXPECT_EQ(made, 5) << "start " << start;
}

}  // namespace
}  // namespace tempera
