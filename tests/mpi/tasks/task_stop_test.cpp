#include <gtest/gtest.h>

#include <csignal>

#include "distributed/tasks/run_tasks.hpp"
#include "tests/mpi/tasks/task_fixture.hpp"

namespace tempera::test {
namespace {

/// A task of each worker works until somebody asks it to stop; the last worker's rank, or the master, gets a signal.
void expect_all_stop(const Communicator& world, int victim, bool victim_works) {
  const StopRequest signals;
  std::vector<Task> tasks;
  const int workers = worker_ranks(world.size()) - (victim_works || world.size() < 3 ? 0 : 1);
  for (Index number = 0; number < workers + 3; ++number) tasks.push_back({.number = number, .order = "work"});
  CheckedSource source(world.size(), tasks);
  source.at_once = static_cast<std::size_t>(workers);
  source.interrupted = [&](const CheckedSource& self) {
    if (static_cast<int>(self.running.size()) == workers && victim == 0) ::raise(SIGUSR1);
    return signals.local();
  };
  source.at_interruption = TaskFlow::cancelling;
  const TaskWork work = [&](const std::string&, const Communicator&) {
    if (world.rank() == victim && victim_works) ::raise(SIGUSR1);
    while (!signals.local()) {
    }
    return std::string("left");
  };
  if (!victim_works && victim == world.rank() && victim != 0) ::raise(SIGUSR1);
  run_tasks(world, &source, work, nullptr, &signals);
  EXPECT_TRUE(signals.local()) << "everywhere";
  for (const auto& [number, report] : source.reports) EXPECT_EQ(report.result, "left") << number;
}

TEST(TaskStop, ASignalToOneRankReachesAllInTheMiddleOfTheirWork) {
  on_all_ranks([](const Communicator& world) {
    if (world.size() == 1) return;  // a signal to the only rank is one to all
    expect_all_stop(world, 0, false);
    expect_all_stop(world, world.size() - 1, true);
    expect_all_stop(world, 1, true);
  });
}

TEST(TaskStop, ARankWithoutWorkTellsOfItsSignal) {
  on_all_ranks([](const Communicator& world) {
    if (world.size() > 2) expect_all_stop(world, world.size() - 1, false);
  });
}

}  // namespace
}  // namespace tempera::test
