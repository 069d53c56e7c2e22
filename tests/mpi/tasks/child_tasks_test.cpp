#include "distributed/tasks/child_tasks.hpp"

#include <gmock/gmock.h>

#include "tests/mpi/tasks/task_fixture.hpp"

namespace tempera::test {
namespace {

const TaskWork kNoWork = [](const std::string&, const Communicator&) { return std::string(); };

TEST(ChildTasks, AreDoneByTheMasterToo) {
  on_all_ranks([](const Communicator& world) {
    std::vector<Task> tasks;
    for (Index number = 0; number < 40; ++number) tasks.push_back({.number = number, .is_child = true, .order = "5"});
    CheckedSource source(world.size(), tasks);
    ScriptedChildren children;
    run_tasks(world, &source, kNoWork, &children);
    EXPECT_FALSE(children.begun.empty()) << "on every rank, the master among them";
    for (const RankSpan ranks : children.begun) EXPECT_EQ(ranks, (RankSpan{world.rank(), 1}));
  });
}

TEST(ChildTasks, OfSeveralRanksRunOnTheFirstOfThemAndTheOthersRest) {
  on_all_ranks([](const Communicator& world) {
    const int workers = worker_ranks(world.size());
    std::vector<Task> tasks;
    for (Index number = 0; number < 5; ++number)
      tasks.push_back({.number = number, .ranks = workers, .is_child = true, .order = "2"});
    tasks.push_back({.number = 5, .ranks = kAllRanks, .is_child = true, .order = "2"});
    CheckedSource source(world.size(), tasks);
    ScriptedChildren children;
    run_tasks(world, &source, kNoWork, &children);
    EXPECT_EQ(source.reports.size(), world.is_root() ? 6u : 0u);
    const int begun = static_cast<int>(children.begun.size());
    EXPECT_EQ(world.all_reduce_value(begun, Reduction::sum), 6);
    if (workers == 1) return;  // then the master may do some of the five
    EXPECT_EQ(begun, world.rank() == 0 ? 1 : world.rank() == 1 ? 5 : 0);
  });
}

TEST(ChildTasks, ThatCannotBeginOrThrowHaveFailed) {
  on_all_ranks([](const Communicator& world) {
    std::vector<Task> tasks;
    for (Index number = 0; number < 20; ++number)
      tasks.push_back({.number = number, .is_child = true, .order = number % 2 == 0 ? "refuse" : "fail"});
    CheckedSource source(world.size(), tasks);
    ScriptedChildren children;
    run_tasks(world, &source, kNoWork, &children);
    for (const auto& [number, report] : source.reports) {
      EXPECT_EQ(report.status, TaskStatus::failed);
      EXPECT_THAT(report.error().message(), testing::HasSubstr(number % 2 == 0 ? "no such program" : "it crashed"));
    }
  });
}

TEST(ChildTasks, WithoutAnythingThatRunsThemHaveFailed) {
  on_all_ranks([](const Communicator& world) {
    CheckedSource source(world.size(), {{.number = 1, .is_child = true, .order = "1"}});
    run_tasks(world, &source, kNoWork);
    if (world.is_root()) {
      EXPECT_EQ(source.reports.at(1).status, TaskStatus::failed);
    }
  });
}

TEST(ChildTasks, AreCancelledWhereverTheyRun) {
  on_all_ranks([](const Communicator& world) {
    std::vector<Task> tasks;
    for (Index number = 0; number < 8; ++number) tasks.push_back({.number = number, .is_child = true, .order = "stay"});
    CheckedSource source(world.size(), tasks);
    source.at_once = 8;
    source.at_interruption = TaskFlow::cancelling;
    const auto places = static_cast<std::size_t>(world.size());
    source.interrupted = [&](const CheckedSource& now) { return now.running.size() == places; };
    ScriptedChildren children;
    run_tasks(world, &source, kNoWork, &children);
    EXPECT_EQ(children.cancelled, 1);
    EXPECT_TRUE(children.is_idle());
    if (!world.is_root()) return;
    EXPECT_EQ(source.reports.size(), places);
    for (const auto& [number, report] : source.reports) EXPECT_EQ(report.status, TaskStatus::cancelled);
  });
}

}  // namespace
}  // namespace tempera::test
