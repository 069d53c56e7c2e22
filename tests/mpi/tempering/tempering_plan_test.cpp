#include "distributed/tempering/tempering_plan.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/sampling/explorers/explorers.hpp"
#include "core/sampling/targets/targets.hpp"
#include "distributed/tempering/draw_summary.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/shared_folder.hpp"

namespace tempera {
namespace {

using test::on_all_ranks;

/// A target whose likelihood says nothing: every swap is accepted, so that replicas move on rails.
class FlatTarget final : public Target {
 public:
  explicit FlatTarget(Index dimension) : Target({{"x", {dimension}, Transform::identity()}}) {}
  using Target::evaluate;
  bool samples_reference() const override { return true; }
  bool normalised_reference() const override { return true; }
  void sample_reference(RandomStream& stream, std::span<double> u) override {
    for (double& value : u) value = stream.normal();
  }
  LogDensity evaluate(std::span<const double> u, std::span<double>, std::span<double>) override {
    return {-0.5 * std::inner_product(u.begin(), u.end(), u.begin(), 0.0), 0};
  }
  std::unique_ptr<Target> clone() const override { return std::make_unique<FlatTarget>(*this); }
};

/// What this rank has counted in a region of the run.
Traffic counted(const Communicator& ranks, const std::string& region) {
  for (const RegionTable::Row& row : ranks.regions().rows())
    if (row.path == "tempering/" + region) return {row.messages, row.bytes};
  return {};
}

void expect_equal(const Traffic& counted, const Traffic& predicted, const char* what) {
  EXPECT_EQ(counted.messages, predicted.messages) << what;
  EXPECT_EQ(counted.bytes, predicted.bytes) << what;
}

/// Runs as the command does, with checkpoints that are never due, and holds what was sent against the plan.
/// @return of the swaps
Traffic expect_planned(const Communicator& world, const Target& target, const std::string& explorer_name,
                       const TemperingOptions& options) {
  const auto explorer = make_explorer(explorer_name);
  const TemperingPlan plan = plan_tempering(world.size(), target, *explorer, options, 0);
  const Communicator apart = world.split_independent(0, world.rank());
  const test::SharedFolder folder(world);
  CheckpointStore store(folder.path() / "checkpoint", {{{"plan", 1}}, "-"});
  ScheduleSettings schedule;
  schedule.periodic = false;
  Checkpoints checkpoints(store, schedule, {});
  TemperingObserver observer;
  observer.checkpoints = &checkpoints;
  sample_by_tempering(apart, target, *explorer, options, observer);
  const TemperingTraffic planned = tempering_traffic(plan, apart.rank());
  expect_equal(counted(apart, "start"), planned.start, "start");
  expect_equal(counted(apart, "round end"), planned.round_end, "round end");
  expect_equal(counted(apart, "estimate"), planned.estimate, "estimate");
  expect_equal(counted(apart, "adapt"), planned.adapt, "adapt");
  expect_equal(counted(apart, "explore"), {}, "explore");
  expect_equal(counted(apart, "adapt/new ladder"), {}, "new ladder");
  const Traffic statistics = counted(apart, "estimate/statistics") + counted(apart, "adapt/statistics");
  EXPECT_LE(statistics.bytes, planned.statistics_most.bytes);
  EXPECT_LE(statistics.messages, planned.statistics_most.messages);
  const Traffic swaps = counted(apart, "swap");
  EXPECT_LE(swaps.messages, planned.swap_letters_most);
  EXPECT_EQ(swaps.bytes, 24 * swaps.messages);
  return swaps;
}

TEST(TemperingPlan, TellsToTheByteWhatNoDrawDecides) {
  on_all_ranks([](const Communicator& world) {
    const std::string settings[] = {"dim=7"};
    const auto target = make_target("gaussian", settings);
    for (const TemperingReference reference :
         {TemperingReference::prior, TemperingReference::gaussian, TemperingReference::two_legs})
      for (const Index chains : {1, 4, 9})
        for (const char* explorer : {"slice", "rwm", "nuts:dense"}) {
          if (reference == TemperingReference::two_legs && chains == 1) continue;
          SCOPED_TRACE(std::string(explorer) + " " + std::to_string(chains));
          TemperingOptions options;
          options.chains = chains;
          options.ladders = chains == 4 ? 3 : 1;
          options.rounds = 5;
          options.reference = reference;
          expect_planned(world, *target, explorer, options);
        }
  });
}

TEST(TemperingPlan, LargeArraysAreCountedInPieces) {
  on_all_ranks([](const Communicator& world) {
    TemperingOptions options;
    options.chains = 30;
    options.ladders = 60;  // 27 KiB of pairs
    options.rounds = 2;
    expect_planned(world, FlatTarget(1), "slice", options);
  });
}

/// Replica k begins in chain k, and goes on by one chain a scan in the direction that its parity says, turning at the ends.
TEST(TemperingPlan, SwapsOnRailsSendWhatTheirPlacesSay) {
  on_all_ranks([](const Communicator& world) {
    TemperingOptions options;
    options.chains = 5;
    options.ladders = 2;
    options.rounds = 6;
    const Traffic swaps = expect_planned(world, FlatTarget(2), "slice", options);
    std::vector<Index> chains;
    for (Index replica = 0; replica < 10; ++replica) chains.push_back(replica % 5);
    Index letters = 0;
    for (int round = 1; round <= options.rounds; ++round)
      for (Index scan = 0; scan < TemperingPlan::scans(round); ++scan) {
        letters += swap_letters(world.size(), 2, chains, scan)[static_cast<std::size_t>(world.rank())];
        for (Index& chain : chains) {
          const Index next = chain % 2 == scan % 2 ? chain + 1 : chain - 1;
          if (next >= 0 && next < 5) chain = next;
        }
      }
    EXPECT_EQ(swaps.messages, letters);
  });
}

/// On rails a replica comes by every place equally often, as the plan supposes of swaps at random.
TEST(TemperingPlan, ExpectsTheLettersOfReplicasThatGoEverywhere) {
  on_all_ranks([](const Communicator& world) {
    TemperingOptions options;
    options.chains = 8;
    options.ladders = 3;
    options.rounds = 10;
    const Traffic swaps = expect_planned(world, FlatTarget(1), "slice", options);
    const auto plan = plan_tempering(world.size(), FlatTarget(1), *make_explorer("slice"), options, 0);
    EXPECT_NEAR(static_cast<double>(swaps.messages), tempering_traffic(plan, world.rank()).swap_letters,
                0.02 * static_cast<double>(swaps.messages) + 30);
  });
}

TEST(TemperingPlan, LaddersThatLieOnOneRankEachSendNoLetters) {
  on_all_ranks([](const Communicator& world) {
    TemperingOptions options;
    options.chains = 3;
    options.ladders = 2 * world.size();
    options.rounds = 4;
    const Traffic swaps = expect_planned(world, FlatTarget(1), "slice", options);
    EXPECT_EQ(swaps.messages, 0);
    const auto plan = plan_tempering(world.size(), FlatTarget(1), *make_explorer("slice"), options, 0);
    EXPECT_EQ(tempering_traffic(plan, world.rank()).swap_letters, 0);
    EXPECT_EQ(tempering_traffic(plan, world.rank()).swap_letters_most, 0);
  });
}

/// Two chains that change places in every second scan: everybody is everywhere.
TEST(TemperingPlan, StatisticsOfReplicasThatWereEverywhereAreTheMost) {
  on_all_ranks([](const Communicator& world) {
    TemperingOptions options;
    options.chains = 2;
    options.ladders = 3;
    options.rounds = 4;
    const Communicator apart = world.split_independent(0, world.rank());
    const auto explorer = make_explorer("rwm");
    sample_by_tempering(apart, FlatTarget(4), *explorer, options);
    const auto plan = plan_tempering(world.size(), FlatTarget(4), *explorer, options, 0);
    expect_equal(counted(apart, "estimate/statistics") + counted(apart, "adapt/statistics"),
                 tempering_traffic(plan, world.rank()).statistics_most, "statistics");
  });
}

TEST(TemperingPlan, ALadderThatFollowsTheBarrierGrowsAsTheEngineLetsIt) {
  TemperingOptions options;
  options.chains = 0;
  options.rounds = 10;
  using Sizes = std::vector<std::vector<Index>>;
  EXPECT_EQ(ladder_sizes(options, 3.2), (Sizes{{8}, {8}, {8}, {8}, {8}, {8}, {8}, {8}, {8}, {8}}));
  EXPECT_EQ(ladder_sizes(options, 20), (Sizes{{8}, {8}, {8}, {16}, {32}, {41}, {41}, {41}, {41}, {41}}));
  EXPECT_EQ(ladder_sizes(options, 1.2), (Sizes{{8}, {8}, {8}, {4}, {4}, {4}, {4}, {4}, {4}, {4}}));
  options.reference = TemperingReference::two_legs;
  options.rounds = 5;
  EXPECT_EQ(ladder_sizes(options, 6), (Sizes{{8, 8}, {8, 8}, {8, 8}, {7, 7}, {7, 7}}));
}

}  // namespace
}  // namespace tempera
