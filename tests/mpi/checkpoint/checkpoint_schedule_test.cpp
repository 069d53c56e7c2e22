#include "distributed/checkpoint/checkpoint_schedule.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace tempera {
namespace {

/// Runs steps of a given length on a clock of its own; a checkpoint takes `cost`.
struct Clockwork {
  double now = 1000;
  double step = 1;
  double cost = 0;
  ScheduleSettings settings = {};
  std::vector<double> saves = {};  // begin of each, from the beginning
  double left = -1;                // when the run had stopped and saved

  void run(double until) {
    settings.clock = [this] { return now; };
    const double begin = now;
    CheckpointSchedule schedule(settings);
    while (now - begin < until) {
      const StepWish wish = schedule.before_step();
      now += step;
      if (!wish.save && !wish.stop) continue;
      saves.push_back(now - begin);
      now += cost;
      schedule.saved(cost);
      if (!wish.stop) continue;
      left = now - begin;
      return;
    }
  }
};

TEST(CheckpointSchedule, SavesEveryMinuteByDefault) {
  Clockwork clock{.step = 1, .cost = 0.5};
  clock.run(600);
  ASSERT_GE(clock.saves.size(), 9u);
  for (std::size_t k = 1; k < clock.saves.size(); ++k) EXPECT_NEAR(clock.saves[k] - clock.saves[k - 1], 61, 1.6);
}

TEST(CheckpointSchedule, CostsLessThanTwoPercentByDefaultHoweverSlowTheDisk) {
  for (const double cost : {0.1, 1.0, 5.0, 60.0}) {
    Clockwork clock{.step = 2, .cost = cost};
    clock.run(100000);
    EXPECT_GE(clock.saves.size(), 20u);
    EXPECT_LT(static_cast<double>(clock.saves.size()) * cost, 0.02 * 100000) << cost;
  }
}

TEST(CheckpointSchedule, ObeysAnIntervalThatWasAskedFor) {
  Clockwork clock{.step = 1, .cost = 5, .settings = {.seconds = 10}};
  clock.run(1000);
  EXPECT_NEAR(static_cast<double>(clock.saves.size()), 1000 / 16.0, 2);
  Clockwork steps{.step = 1, .cost = 0, .settings = {.steps = 7}};
  steps.run(50);
  EXPECT_EQ(steps.saves, (std::vector<double>{7, 14, 21, 28, 35, 42, 49}));
  Clockwork each{.step = 1, .cost = 0.5, .settings = {.steps = 1}};
  each.run(4);
  EXPECT_EQ(each.saves, (std::vector<double>{1, 2.5, 4}));
  Clockwork never{.step = 1, .cost = 0, .settings = {.periodic = false}};
  never.run(1000);
  EXPECT_TRUE(never.saves.empty());
}

TEST(CheckpointSchedule, IsGoneBeforeTheDeadlineAndUsesTheTimeBefore) {
  for (const double step : {0.01, 1.0, 20.0, 60.0})
    for (const double cost : {0.01, 1.0, 30.0}) {
      Clockwork clock{.step = step, .cost = cost, .settings = {.deadline = 1000 + 600.0}};
      clock.run(1e9);
      EXPECT_LT(clock.left, 600) << "step " << step << " cost " << cost;
      EXPECT_GT(clock.left, 600 - 4 * step - 3 * cost - 4) << "step " << step << " cost " << cost;
    }
}

TEST(CheckpointSchedule, ADeadlineThatIsTooNearStopsAfterTheFirstStep) {
  Clockwork clock{.step = 1, .cost = 1, .settings = {.deadline = 1000 + 1.0}};
  clock.run(100);
  EXPECT_EQ(clock.left, 2);
}

}  // namespace
}  // namespace tempera
