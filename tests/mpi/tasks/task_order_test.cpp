#include <gtest/gtest.h>

#include "distributed/communicator/objects.hpp"
#include "tests/mpi/tasks/task_fixture.hpp"

// Which task begins when, and what a stop leaves undone.

namespace tempera::test {
namespace {

TEST(TaskOrder, OneRankKeepsTheOrderOfTheSourceOthersBeginTheLargestFirst) {
  on_all_ranks([](const Communicator& world) {
    std::vector<Task> tasks;
    for (int number = 0; number < 9; ++number)
      tasks.push_back({.number = number, .ranks = std::min(worker_ranks(world.size()), 1 + number / 3)});
    tasks.push_back({.number = 9, .ranks = kAllRanks});
    CheckedSource source(world.size(), tasks);
    source.at_once = tasks.size();
    run_tasks(world, &source, [](const std::string&, const Communicator&) { return ""; });
    if (!world.is_root()) return;
    std::vector<Index> expected;
    if (world.size() == 1) expected = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    if (world.size() == 2) expected = {9, 0, 1, 2, 3, 4, 5, 6, 7, 8};
    if (world.size() == 4) expected = {9, 6, 7, 8};  // then pairs beside single ones
    ASSERT_EQ(source.order.size(), tasks.size());
    source.order.resize(expected.size());
    EXPECT_EQ(source.order, expected);
  });
}

/// Small tasks without end, until the large one that comes with the tenth of them has ended.
class StreamOfSmallTasks : public TaskSource {
 public:
  StreamOfSmallTasks(int workers, int large) : workers_(workers), large_(large) {}

  std::vector<Task> ready() override {
    std::vector<Task> tasks;
    for (; given_ < ended_ + 3 * workers_; ++given_) tasks.push_back({.number = given_});
    if (ended_ >= 10 && !asked_) tasks.push_back({.number = -1, .ranks = large_});
    asked_ = ended_ >= 10;
    return tasks;
  }
  TaskFlow flow() override { return done_ ? TaskFlow::stopping : TaskFlow::open; }
  void begun(Index number, RankSpan, double) override {
    if (asked_ && !large_begun_) ++begun_before_;
    large_begun_ = large_begun_ || number == -1;
  }
  void ended(Index number, const TaskReport&, double) override { (number == -1 ? done_ : ended_) += 1; }
  Index begun_before() const { return begun_before_; }

 private:
  int workers_, large_;
  Index given_ = 0, ended_ = 0, done_ = 0, begun_before_ = 0;
  bool asked_ = false, large_begun_ = false;
};

TEST(TaskOrder, AStreamOfSmallTasksDoesNotHoldUpALargeOne) {
  on_all_ranks([](const Communicator& world) {
    const int workers = worker_ranks(world.size());
    for (const int large : {workers, kAllRanks}) {
      StreamOfSmallTasks source(workers, large);
      run_tasks(world, &source, [](const std::string&, const Communicator&) { return ""; });
      if (world.is_root() && world.size() > 1 && large != 1) {
        EXPECT_LE(source.begun_before(), 2 * workers) << "and the large one: what ran and what had been sent ahead";
      }
    }
  });
}

TEST(TaskOrder, AfterAStopNothingNewBeginsAndWhatRunsEnds) {
  on_all_ranks([](const Communicator& world) {
    for (int round = 0; round < 20; ++round) {
      const std::vector<Task> tasks = random_tasks(100 + static_cast<std::uint64_t>(round), world.size(), 200, true);
      CheckedSource source(world.size(), tasks);
      source.at_once = 200;
      source.may_begin_late = true;
      const auto enough = static_cast<std::size_t>(round * 5);
      source.interrupted = [&](const CheckedSource& now) { return now.reports.size() >= enough; };
      int done = 0;
      ScriptedChildren children;
      run_tasks(
          world, &source,
          [&](const std::string&, const Communicator& group) {
            if (group.is_root()) ++done;
            return "";
          },
          &children);
      EXPECT_TRUE(children.is_idle());
      done += static_cast<int>(children.begun.size());
      const int all_done = world.all_reduce_value(done, Reduction::sum);
      if (!world.is_root()) continue;
      EXPECT_TRUE(source.running.empty());
      EXPECT_EQ(all_done, std::ssize(source.reports)) << "what was told is what was done";
      EXPECT_GE(source.reports.size(), enough);
      // What ran, and what was on its way to each rank.
      EXPECT_LE(source.reports.size(), enough + 3 * static_cast<std::size_t>(world.size()));
    }
  });
}

// One task waits until the master has stopped; what had been sent ahead behind it is called back and does not begin.
TEST(TaskOrder, WhatWasSentAheadIsCalledBack) {
  on_all_ranks([](const Communicator& world) {
    TEMPERA_REQUIRE_RANKS(world, 2);
    constexpr Index kWaits = 20;
    constexpr int kTag = 1;
    std::vector<Task> tasks;
    for (Index number = 0; number < 100; ++number)
      tasks.push_back({.number = number, .order = number == kWaits ? "wait" : ""});
    CheckedSource source(world.size(), tasks);
    source.at_once = tasks.size();
    source.may_begin_late = true;  // on ranks that did not wait
    int looks = 0, rank = 0;
    source.interrupted = [&](const CheckedSource& now) {
      if (looks == 0 && !now.running.contains(kWaits)) return false;
      if (looks++ == 0) rank = now.running.at(kWaits).first;
      if (looks == 2) world.send_object(0, rank, kTag);  // the call has been sent at the first look
      return true;
    };
    bool has_waited = false;
    run_tasks(world, &source, [&](const std::string& order, const Communicator&) {
      EXPECT_FALSE(has_waited);
      if (order == "wait") {
        world.receive_object<int>(0, kTag);
        has_waited = true;
      }
      return "";
    });
    EXPECT_TRUE(source.running.empty());
  });
}

}  // namespace
}  // namespace tempera::test
