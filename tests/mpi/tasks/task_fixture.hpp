#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/random_stream.hpp"
#include "distributed/tasks/run_tasks.hpp"
#include "tests/support/mpi.hpp"

namespace tempera::test {

/// Sizes from one rank to all, some of them child processes.
inline std::vector<Task> random_tasks(std::uint64_t seed, int ranks, int count, bool children) {
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

/// Gives tasks a few at a time and expects of every event what has to hold for it.
class CheckedSource : public TaskSource {
 public:
  CheckedSource(int ranks, std::vector<Task> tasks) : ranks_(ranks), tasks_(std::move(tasks)) {
    for (const Task& task : tasks_) wanted_[task.number] = task;
  }

  std::vector<Task> ready() override {
    std::vector<Task> portion;
    for (; given_ < tasks_.size() && given_ < reports.size() + at_once; ++given_) portion.push_back(tasks_[given_]);
    return portion;
  }
  TaskFlow flow() override {
    if (interrupted && interrupted(*this)) was_interrupted_ = true;
    if (was_interrupted_) return at_interruption;
    return given_ < tasks_.size() ? TaskFlow::open : TaskFlow::finished;
  }

  void begun(Index number, RankSpan ranks, double when) override {
    EXPECT_FALSE(was_interrupted_ && !may_begin_late) << number;
    EXPECT_GE(when, last_);
    last_ = when;
    const Task& task = wanted_.at(number);
    EXPECT_TRUE(begun_.emplace(number, ranks).second) << number << " begins twice";
    order.push_back(number);
    const bool by_master = ranks == RankSpan{0, 1};
    if (task.ranks == kAllRanks) {
      EXPECT_EQ(ranks, (RankSpan{0, ranks_}));
    } else {
      EXPECT_EQ(ranks.count, task.ranks);
      EXPECT_TRUE(by_master ? ranks_ == 1 || task.is_child : ranks.first >= 1 && ranks.end() <= ranks_);
    }
    for (const auto& [other, place] : running)
      EXPECT_FALSE(place.meets(ranks) || task.ranks == kAllRanks) << number << " begins beside " << other;
    running.emplace(number, ranks);
  }
  void ended(Index number, const TaskReport& report, double when) override {
    EXPECT_GE(when, last_);
    last_ = when;
    EXPECT_EQ(running.erase(number), 1u) << number;
    EXPECT_TRUE(reports.emplace(number, report).second) << number << " ends twice";
    EXPECT_GE(report.seconds, 0);
    if (at_end) at_end(number);
  }

  std::size_t at_once = 8;  ///< tasks that are given and have not ended
  std::function<bool(const CheckedSource&)> interrupted;
  TaskFlow at_interruption = TaskFlow::stopping;
  bool may_begin_late = false;  ///< what had been sent ahead is told of when its ranks have said so
  std::function<void(Index number)> at_end;

  std::map<Index, RankSpan> running;
  std::map<Index, TaskReport> reports;
  std::vector<Index> order;

 private:
  int ranks_;
  std::vector<Task> tasks_;
  std::map<Index, Task> wanted_;
  std::map<Index, RankSpan> begun_;
  std::size_t given_ = 0;
  bool was_interrupted_ = false;
  double last_ = 0;
};

/// Child processes that end at the so manieth look; the order is this number, or "fail" or "stay".
class ScriptedChildren : public ChildTasks {
 public:
  void begin(const std::string& order, RankSpan ranks) override {
    EXPECT_FALSE(order_);
    begun.push_back(ranks);
    if (order == "refuse") throw Error(Category::usage, "child", "no such program");
    order_ = order;
    looks_ = 0;
  }
  std::optional<TaskReport> poll() override {
    EXPECT_TRUE(order_);
    if (*order_ == "stay") return std::nullopt;
    if (*order_ == "fail") {
      order_.reset();
      throw std::runtime_error("it crashed");
    }
    if (++looks_ < std::stoi(*order_)) return std::nullopt;
    TaskReport report;
    report.result = "child " + *order_;
    order_.reset();
    return report;
  }
  void cancel() override {
    EXPECT_TRUE(order_);
    order_.reset();
    ++cancelled;
  }
  bool is_idle() const { return !order_; }

  std::vector<RankSpan> begun;
  int cancelled = 0;

 private:
  std::optional<std::string> order_;
  int looks_ = 0;
};

}  // namespace tempera::test
