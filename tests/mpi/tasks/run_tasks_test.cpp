#include "distributed/tasks/run_tasks.hpp"

#include <gmock/gmock.h>

#include <numeric>

#include "core/base/random_stream.hpp"
#include "distributed/communicator/objects.hpp"
#include "tests/mpi/tasks/task_fixture.hpp"

namespace tempera::test {
namespace {

/// Sizes from one rank to all, some of them child processes.
std::vector<Task> random_tasks(std::uint64_t seed, int ranks, int count, bool children) {
  RandomStream random(seed, "run-tasks-test", {});
  std::vector<Task> tasks;
  for (Index number = 0; number < count; ++number) {
    Task task{.number = number * 3 + 1, .order = std::to_string(number)};
    const Index kind = random.uniform_index(12);
    if (kind == 0) task.ranks = kAllRanks;
    if (kind > 6) task.ranks = 1 + static_cast<int>(random.uniform_index(worker_ranks(ranks)));
    task.is_child = children && random.uniform_index(4) == 0;
    if (task.is_child) task.order = std::to_string(1 + random.uniform_index(3));
    tasks.push_back(std::move(task));
  }
  return tasks;
}

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

TEST(RunTasks, OneRankKeepsTheOrderOfTheSourceOthersBeginTheLargestFirst) {
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

TEST(RunTasks, AStreamOfSmallTasksDoesNotHoldUpALargeOne) {
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

TEST(RunTasks, AfterAStopNothingNewBeginsAndWhatRunsEnds) {
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
