#include "distributed/tasks/run_tasks.hpp"

#include <gmock/gmock.h>

#include <numeric>

#include "distributed/communicator/objects.hpp"
#include "tests/mpi/tasks/task_fixture.hpp"

namespace tempera::test {
namespace {

/// What every rank has done, by group: the same on all ranks. Collective.
struct Done {
  std::string order;
  int group_size, group_rank;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& order& group_size& group_rank;
  }
};

TEST(RunTasks, EveryTaskIsDoneOnceByAsManyRanksAsItWantsAndNoRanksOverlap) {
  on_all_ranks([](const Communicator& world) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
      SCOPED_TRACE(seed);
      const std::vector<Task> tasks = random_tasks(seed, world.size(), 60, seed % 2 == 0);
      CheckedSource source(world.size(), tasks);
      source.at_once = 1 + seed % 10 * 7;
      ScriptedChildren children;
      std::vector<Done> mine;
      const TaskWork work = [&](const std::string& order, const Communicator& group) {
        mine.push_back({order, group.size(), group.rank()});
        const int sum = group.all_reduce_value(world.rank(), Reduction::sum);
        return group.is_root() ? order + ":" + std::to_string(sum) : "unheard";
      };
      run_tasks(world, &source, work, &children);
      EXPECT_TRUE(children.is_idle());
      EXPECT_EQ(world.all_reduce_value(static_cast<int>(children.begun.size()), Reduction::sum),
                std::ranges::count_if(tasks, &Task::is_child));
      std::map<std::string, std::vector<int>> members;
      for (const auto& of_rank : world.gather_objects(mine, 0))
        for (const Done& done : of_rank) {
          members[done.order].push_back(done.group_rank);
          EXPECT_EQ(done.group_size, std::max(1, tasks[std::stoul(done.order)].ranks == kAllRanks
                                                     ? world.size()
                                                     : tasks[std::stoul(done.order)].ranks));
        }
      if (!world.is_root()) continue;
      ASSERT_EQ(source.reports.size(), tasks.size());
      for (const Task& task : tasks) {
        const TaskReport& report = source.reports.at(task.number);
        EXPECT_EQ(report.status, TaskStatus::done);
        if (task.is_child) {
          EXPECT_EQ(report.result, "child " + task.order);
          continue;
        }
        std::vector<int> expected(static_cast<std::size_t>(task.ranks == kAllRanks ? world.size() : task.ranks));
        std::iota(expected.begin(), expected.end(), 0);
        EXPECT_THAT(members.at(task.order), testing::UnorderedElementsAreArray(expected));
        EXPECT_EQ(report.result.substr(0, task.order.size() + 1), task.order + ":");
      }
    }
  });
}

TEST(RunTasks, OrdersAndResultsAreAnyBytesAndAGroupsCommunicatorIsMadeOnce) {
  on_all_ranks([](const Communicator& world) {
    std::vector<Task> tasks;
    for (int number = 0; number < 60; ++number)
      tasks.push_back({.number = number,
                       .ranks = number % 5 == 0 ? kAllRanks : 1 + number % worker_ranks(world.size()),
                       .order = std::string(static_cast<std::size_t>(number % 7 * 5000), static_cast<char>(number))});
    CheckedSource source(world.size(), tasks);
    std::map<std::vector<int>, MPI_Comm> made;
    run_tasks(world, &source, [&](const std::string& order, const Communicator& group) {
      const int mine = world.rank();
      const MPI_Comm known = made.emplace(group.all_gather(std::span(&mine, 1)), group.handle()).first->second;
      EXPECT_EQ(known, group.handle());
      return order + '\0' + order;
    });
    for (const auto& [number, report] : source.reports) {
      const std::string& order = tasks[static_cast<std::size_t>(number)].order;
      EXPECT_EQ(report.result, order + '\0' + order);
    }
  });
}

TEST(RunTasks, WhatARankOfAGroupThrowsIsTheReportAndTheRestGoesOn) {
  on_all_ranks([](const Communicator& world) {
    const std::vector<Task> tasks = random_tasks(5, world.size(), 80, false);
    CheckedSource source(world.size(), tasks);
    run_tasks(world, &source, [](const std::string& order, const Communicator& group) -> std::string {
      const int number = std::stoi(order);
      if (group.rank() != number % group.size()) {
        if (number % 4 < 2) group.barrier();  // for one that has gone
        return "fine";
      }
      if (number % 4 == 0) throw Error(Category::numerical, "here", "it diverged", "begin elsewhere");
      if (number % 4 == 1) throw std::runtime_error("no luck");
      return "fine";
    });
    if (!world.is_root()) return;
    ASSERT_EQ(source.reports.size(), tasks.size());
    for (const Task& task : tasks) {
      const TaskReport& report = source.reports.at(task.number);
      const int kind = std::stoi(task.order) % 4;
      if (kind >= 2) {
        EXPECT_EQ(report.result, "fine");
        continue;
      }
      EXPECT_EQ(report.status, TaskStatus::failed);
      EXPECT_EQ(report.result, "");
      const std::string message = report.error().message();
      if (kind == 0) {
        EXPECT_EQ(message, "tempera: error: here: it diverged\nhint: begin elsewhere");
        EXPECT_EQ(report.category, Category::numerical);
      } else {
        EXPECT_THAT(message, testing::HasSubstr("no luck"));
      }
    }
  });
}

TEST(RunTasks, RanksWithoutWorkLeaveWithTheOthers) {
  on_all_ranks([](const Communicator& world) {
    for (const int count : {0, 1, 2}) {
      CheckedSource source(world.size(), random_tasks(1, 1, count, false));
      int done = 0;
      run_tasks(world, &source, [&](const std::string&, const Communicator&) {
        ++done;
        return "";
      });
      EXPECT_LE(done, count);
    }
    world.barrier();
  });
}

TEST(RunTasks, WhatTheSourceThrowsEndsItOnAllRanksWhateverTheGroupsDo) {
  const Communicator world(MPI_COMM_WORLD);
  for (int round = 0; round < 20; ++round) {
    CheckedSource source(world.size(), random_tasks(static_cast<std::uint64_t>(round), world.size(), 50, true));
    source.at_once = 50;
    ScriptedChildren children;
    source.at_end = [&](Index) {
      if (std::ssize(source.reports) == 1 + round) throw Error(Category::environment, "journal", "the disk is full");
    };
    try {
      run_tasks(
          world, &source,
          [](const std::string&, const Communicator& group) {
            for (int k = 0; k < 5; ++k) group.barrier();
            return "";
          },
          &children);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.message(), "tempera: error: journal: the disk is full");
    }
    EXPECT_TRUE(children.is_idle()) << "it runs on after the error";
    EXPECT_EQ(world.all_reduce_value(1, Reduction::sum), world.size());
  }
}

TEST(RunTasks, ARankThatFailsOutsideOfItsGroupsAgreementEndsIt) {
  const Communicator world(MPI_COMM_WORLD);
  class Broken : public ChildTasks {
   public:
    void begin(const std::string&, RankSpan) override {}
    std::optional<TaskReport> poll() override { throw 5; }  // no exception of the standard library, hence no report
    void cancel() override {}
  };
  std::vector<Task> tasks(10);
  for (Index number = 0; number < 10; ++number)
    tasks[static_cast<std::size_t>(number)] = {
        .number = number, .ranks = worker_ranks(world.size()), .is_child = number == 3, .order = {}};
  CheckedSource source(world.size(), tasks);
  Broken children;
  EXPECT_THROW(run_tasks(
                   world, &source, [](const std::string&, const Communicator&) { return ""; }, &children),
               Error);
  EXPECT_EQ(world.all_reduce_value(1, Reduction::sum), world.size());
}

TEST(RunTasks, ATaskOfMoreRanksThanThereAreIsRefusedOnAllRanks) {
  const Communicator world(MPI_COMM_WORLD);
  CheckedSource source(world.size(), {{.number = 12, .ranks = world.size() + 1}});
  try {
    run_tasks(world, &source, [](const std::string&, const Communicator&) { return ""; });
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::usage);
    EXPECT_THAT(error.message(), testing::HasSubstr("task 12 wants " + std::to_string(world.size() + 1) + " ranks"));
  }
}

}  // namespace
}  // namespace tempera::test
