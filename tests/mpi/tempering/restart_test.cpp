#include <gtest/gtest.h>

#include <cmath>

#include "core/sampling/explorers/slice_explorer.hpp"
#include "core/sampling/targets/targets.hpp"
#include "distributed/checkpoint/checkpoints.hpp"
#include "distributed/tempering/tempering.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/shared_folder.hpp"

namespace tempera {
namespace {

using test::on_all_ranks;

std::unique_ptr<Target> four_modes() {
  const std::string settings[] = {"dim=2", "modes=4"};
  return make_target("mixture", settings);
}

std::vector<double> all_draws(const Communicator& ranks, const DrawStore& draws) {
  return draws.columns(ranks, 0, draws.width());
}

/// NaN equals NaN.
void expect_same(double a, double b) {
  EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b))) << a << " " << b;
}

void expect_equal(const std::vector<TemperingRound>& expected, const std::vector<TemperingRound>& found) {
  ASSERT_EQ(expected.size(), found.size());
  for (std::size_t k = 0; k < expected.size(); ++k) {
    const TemperingRound &a = expected[k], &b = found[k];
    EXPECT_EQ(a.sizes, b.sizes);
    EXPECT_EQ(a.schedule, b.schedule);
    EXPECT_EQ(a.rejections, b.rejections);
    expect_same(a.evidence.estimate, b.evidence.estimate);
    expect_same(a.evidence.standard_error, b.evidence.standard_error);
    EXPECT_EQ(a.barrier, b.barrier);
    EXPECT_EQ(a.round_trips, b.round_trips);
    EXPECT_EQ(a.restarts, b.restarts);
    EXPECT_EQ(a.evaluations, b.evaluations);
  }
}

/// Ways of running that keep different state.
std::vector<TemperingOptions> ways() {
  TemperingOptions plain;
  plain.chains = 5;
  plain.ladders = 2;
  plain.rounds = 6;
  plain.seed = 3;
  plain.thin = 3;
  TemperingOptions fitted = plain;
  fitted.reference = TemperingReference::gaussian;
  fitted.chains = 0;
  fitted.keep_all = true;
  TemperingOptions legs = fitted;
  legs.reference = TemperingReference::two_legs;
  legs.keep_all = false;
  legs.threads = 4;
  TemperingOptions alone = plain;
  alone.chains = 1;
  alone.thin = 1;
  return {plain, fitted, legs, alone};
}

TEST(TemperingRestart, ThreadsChangeNoBit) {
  on_all_ranks([](const Communicator& world) {
    const auto target = four_modes();
    for (TemperingOptions options : ways()) {
      options.threads = 1;
      const TemperingResult one = sample_by_tempering(world, *target, SliceExplorer(), options);
      options.threads = 4;
      const TemperingResult four = sample_by_tempering(world, *target, SliceExplorer(), options);
      expect_equal(one.rounds, four.rounds);
      EXPECT_EQ(all_draws(world, *one.draws), all_draws(world, *four.draws));
    }
  });
}

/// A rank that stops after so many looks for a signal, 0: never.
CheckpointHooks hooks_stopping_after(int looks) {
  CheckpointHooks hooks;
  hooks.warn = [](const std::string& text) { ADD_FAILURE() << text; };
  if (looks > 0) hooks.stop_requested = [looks, seen = 0]() mutable { return ++seen >= looks; };
  return hooks;
}

TEST(TemperingRestart, GoesOnToTheSameBitsOnAnyNumberOfRanks) {
  on_all_ranks([](const Communicator& world) {
    const auto target = four_modes();
    int which = 0;
    for (const TemperingOptions& options : ways()) {
      const TemperingResult expected = sample_by_tempering(world, *target, SliceExplorer(), options);
      const auto expected_draws = all_draws(world, *expected.draws);
      const test::SharedFolder folder(world);
      CheckpointStore store(folder.path() / "checkpoint", {{{"way", which++}}, "-"});
      bool ended = false;
      int parts = 0;
      for (; !ended && parts < 100; ++parts) {
        const int size = 1 + (parts + which) % world.size();
        const Communicator part = world.split(world.rank() < size ? 0 : -1, world.rank());
        if (part.size() > 0) {
          ScheduleSettings schedule;
          schedule.steps = 4;
          // A signal on one rank only, in scans that differ from part to part.
          Checkpoints checkpoints(store, schedule,
                                  hooks_stopping_after(part.rank() == parts % size ? 5 + 7 * (parts % 4) : 0));
          TemperingObserver observer;
          observer.checkpoints = &checkpoints;
          const TemperingResult result = sample_by_tempering(part, *target, SliceExplorer(), options, observer);
          ended = !result.stopped;
          if (ended) {
            expect_equal(expected.rounds, result.rounds);
            const auto draws = all_draws(part, *result.draws);
            EXPECT_TRUE(draws == expected_draws) << which;
          }
        }
        ended = world.broadcast_value(ended, 0);
      }
      EXPECT_TRUE(ended);
      EXPECT_GE(parts, 4);
    }
  });
}

TEST(TemperingRestart, MoreRoundsAreTheLongerRun) {
  on_all_ranks([](const Communicator& world) {
    const auto target = four_modes();
    for (TemperingOptions options : ways()) {
      const TemperingResult expected = sample_by_tempering(world, *target, SliceExplorer(), options);
      const test::SharedFolder folder(world);
      CheckpointStore store(folder.path() / "checkpoint", {{{"way", 0}}, "-"});
      for (const int rounds : {4, 6, 6}) {  // the third finds everything done
        Checkpoints checkpoints(store, {}, hooks_stopping_after(0));
        TemperingObserver observer;
        observer.checkpoints = &checkpoints;
        options.rounds = rounds;
        const TemperingResult result = sample_by_tempering(world, *target, SliceExplorer(), options, observer);
        if (rounds < 6) continue;
        expect_equal(expected.rounds, result.rounds);
        EXPECT_TRUE(all_draws(world, *result.draws) == all_draws(world, *expected.draws));
      }
    }
  });
}

}  // namespace
}  // namespace tempera
