#include "distributed/bayesopt/scheduler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/base/error.hpp"
#include "distributed/bayesopt/worker_use.hpp"
#include "tests/mpi/bayesopt/scripted_trials.hpp"

namespace tempera::test {
namespace {

using Entries = std::vector<JournalEntry>;

SchedulerOptions options_of(Schedule schedule, Index budget, Index batch = 1) {
  SchedulerOptions options;
  options.schedule = schedule;
  options.budget = budget;
  options.batch = batch;
  return options;
}

constexpr Schedule kSchedules[] = {Schedule::async, Schedule::batch, Schedule::blind};

Entries run(const SchedulerOptions& options, const SimulatedWorkers& workers) {
  Scheduler scheduler(options);
  DigestProposer proposer;
  Entries entries;
  simulate(scheduler, proposer, workers, entries);
  return entries;
}

std::vector<Trial> finished_of(const SchedulerOptions& options, const Entries& entries) {
  Scheduler scheduler(options);
  for (const JournalEntry& entry : entries) scheduler.apply(entry.event);
  return scheduler.finished();
}

std::string text_of(const std::vector<Trial>& trials) {
  std::string text;
  for (Trial trial : trials) {
    trial.result.seconds = 0;
    text += to_json(ResultEvent{trial.number, 0, trial.result}).dump() +
            to_json(ProposeEvent{0, trial.point, {}, 0, {}, 0}).dump() + "\n";
  }
  return text;
}

TEST(Scheduler, EveryTrialIsTriedOnceAndNothingIsLost) {
  for (const Schedule schedule : kSchedules)
    for (const Index workers : {1, 4, 16, 64})
      for (const double failing : {0.0, 0.1}) {
        SchedulerOptions options = options_of(schedule, 300, 8);
        options.max_retries = 2;
        const Entries entries = run(options, scripted_workers(workers, 0.05, failing, 1));
        std::vector<std::pair<Index, Index>> started, ended;
        std::set<Index> proposed, counted;
        for (const JournalEntry& entry : entries) {
          if (const auto* p = std::get_if<ProposeEvent>(&entry.event)) proposed.insert(p->number);
          if (const auto* e = std::get_if<StartEvent>(&entry.event)) started.emplace_back(e->number, e->attempt);
          if (const auto* r = std::get_if<ResultEvent>(&entry.event)) ended.emplace_back(r->number, r->attempt);
        }
        std::sort(started.begin(), started.end());
        std::sort(ended.begin(), ended.end());
        EXPECT_EQ(std::adjacent_find(started.begin(), started.end()), started.end()) << "started twice";
        EXPECT_EQ(started, ended);
        EXPECT_EQ(std::ssize(proposed), 300);
        for (const Trial& trial : finished_of(options, entries)) EXPECT_TRUE(counted.insert(trial.number).second);
        EXPECT_EQ(proposed, counted);
      }
}

/// Of a space of five points.
class FivePoints final : public Proposer {
 public:
  Proposal propose(Index, std::span<const Trial> finished, std::span<const PendingTrial> pending) override {
    const auto known = std::ssize(finished) + std::ssize(pending);
    return known < 5 ? Proposal{{static_cast<double>(known)}, {}} : Proposal{};
  }
};

TEST(Scheduler, ARunEndsWhenEveryPointOfItsSpaceIsTried) {
  for (const Schedule schedule : kSchedules)
    for (const Index workers : {1, 3, 8}) {
      const SchedulerOptions options = options_of(schedule, 40, 3);
      Scheduler scheduler(options);
      FivePoints proposer;
      Entries entries;
      simulate(scheduler, proposer, scripted_workers(workers, 0.05, 0, 1), entries);
      EXPECT_TRUE(scheduler.over());
      EXPECT_TRUE(scheduler.exhausted());
      EXPECT_EQ(scheduler.finished().size(), 5u) << workers;
      Scheduler again(options);
      for (const JournalEntry& entry : entries) again.apply(event_from_json(to_json(entry.event)));
      EXPECT_TRUE(again.over());
    }
}

TEST(Scheduler, NoMoreTrialsRunAtOnceThanThereAreWorkers) {
  for (const Schedule schedule : kSchedules) {
    std::set<Index> busy;
    for (const JournalEntry& entry : run(options_of(schedule, 200, 5), scripted_workers(6, 0.1, 0.05, 4))) {
      static std::map<Index, Index> worker_of;
      if (const auto* e = std::get_if<StartEvent>(&entry.event)) {
        EXPECT_TRUE(e->worker >= 0 && e->worker < 6);
        EXPECT_TRUE(busy.insert(e->worker).second) << "two trials on one worker";
        worker_of[e->number] = e->worker;
      }
      if (const auto* e = std::get_if<ResultEvent>(&entry.event)) busy.erase(worker_of[e->number]);
    }
  }
}

TEST(Scheduler, BatchAndBlindTrialsDoNotDependOnTheWorkersOrTheirSpeed) {
  for (const Schedule schedule : {Schedule::batch, Schedule::blind})
    for (const Index batch : {1, 4, 7}) {
      const SchedulerOptions options = options_of(schedule, 60, batch);
      const std::string one = text_of(finished_of(options, run(options, scripted_workers(1, 0, 0.1, 1))));
      for (const Index workers : {2, 3, 4, 16})
        EXPECT_EQ(text_of(finished_of(options, run(options, scripted_workers(workers, 0.3, 0.1, 17)))), one)
            << workers << " workers, batches of " << batch;
    }
}

TEST(Scheduler, ABatchRunThatIsExtendedWithinABatchIsTheLongerRun) {
  const SchedulerOptions longer = options_of(Schedule::batch, 31, 4);
  const std::string whole = text_of(finished_of(longer, run(longer, scripted_workers(3, 0.1, 0.1, 2))));
  for (const Index first : {1, 10, 12, 30}) {
    Entries entries = run(options_of(Schedule::batch, first, 4), scripted_workers(4, 0.1, 0.1, 8));
    Scheduler scheduler(longer);
    for (const JournalEntry& entry : entries) scheduler.apply(entry.event);
    EXPECT_FALSE(scheduler.over());
    DigestProposer proposer;
    simulate(scheduler, proposer, scripted_workers(2, 0.1, 0.1, 9), entries);
    EXPECT_EQ(text_of(scheduler.finished()), whole) << first;
  }
}

TEST(Scheduler, ReplayGivesTheStateAfterEveryEvent) {
  for (const Schedule schedule : kSchedules) {
    SchedulerOptions options = options_of(schedule, 40, 4);
    options.max_retries = 1;
    Scheduler live(options);
    DigestProposer proposer;
    Entries entries;
    // Events one at a time, in an order that chance makes: a result of any running trial, a start, a proposal.
    std::vector<StartEvent> running;
    RandomStream random(11, "random-order", {static_cast<Index>(schedule)});
    const auto record = [&](Event event) {
      entries.push_back({0, event_from_json(to_json(event))});
      live.apply(event);
      Scheduler replayed(options);
      for (const JournalEntry& entry : entries) replayed.apply(entry.event);
      ASSERT_EQ(state_of(replayed), state_of(live)) << entries.size() << " events";
    };
    while (!live.over()) {
      const Index what = random.uniform_index(20);
      if (what == 0) {
        running.clear();
        record(SessionEvent{3});
      } else if (what < 8 && !running.empty()) {
        const auto which = random.uniform_index(std::ssize(running));
        const StartEvent start = running[static_cast<std::size_t>(which)];
        running.erase(running.begin() + which);
        record(ResultEvent{start.number, start.attempt,
                           scripted_result(live.point(start.number), start.number, start.attempt, 0.2)});
      } else if (what < 14) {
        if (const auto start = live.next_start(5)) {
          running.push_back(*start);
          record(*start);
        }
      } else if (live.can_propose()) {
        record(live.propose(proposer));
      }
    }
    EXPECT_EQ(std::ssize(live.finished()), 40);
  }
}

TEST(Scheduler, ProposalsAreFunctionsOfTheEventsBeforeThem) {
  for (const Schedule schedule : kSchedules) {
    const SchedulerOptions options = options_of(schedule, 80, 4);
    Scheduler replayed(options);
    DigestProposer proposer;
    for (const JournalEntry& entry : run(options, scripted_workers(5, 0.4, 0.1, 3))) {
      if (const auto* event = std::get_if<ProposeEvent>(&entry.event)) {
        const ProposalBasis basis = replayed.basis_of(*event);
        const Proposal again = proposer.propose(basis.number, basis.finished, basis.pending);
        EXPECT_EQ(again.point, event->point);
        EXPECT_EQ(again.why, event->why);
      }
      replayed.apply(entry.event);
    }
  }
}

TEST(Scheduler, KilledAfterAnyEventItGoesOnWithoutLossAndABatchRunAsIfNothingHadHappened) {
  for (const Schedule schedule : kSchedules) {
    const SchedulerOptions options = options_of(schedule, 24, 4);
    const Entries whole = run(options, scripted_workers(3, 0.1, 0.1, 5));
    const std::string expected = text_of(finished_of(options, whole));
    for (std::size_t kept = 0; kept <= whole.size(); ++kept) {
      Entries entries(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(kept));
      Scheduler scheduler(options);
      for (const JournalEntry& entry : entries) scheduler.apply(entry.event);
      DigestProposer proposer;
      simulate(scheduler, proposer, scripted_workers(static_cast<Index>(1 + kept % 4), 0.1, 0, 6), entries);
      std::set<Index> numbers;
      for (const Trial& trial : scheduler.finished()) numbers.insert(trial.number);
      ASSERT_EQ(std::ssize(numbers), 24) << "killed after " << kept << " events";
      ASSERT_EQ(std::ssize(scheduler.finished()), 24);
    }
    if (schedule == Schedule::async) continue;
    for (std::size_t kept = 0; kept <= whole.size(); ++kept) {
      Entries entries(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(kept));
      Scheduler scheduler(options);
      for (const JournalEntry& entry : entries) scheduler.apply(entry.event);
      DigestProposer proposer;
      SimulatedWorkers workers = scripted_workers(static_cast<Index>(1 + kept % 4), 0.1, 0.1, 6);
      workers.evaluate = [](const Point& point, Index number, Index) { return scripted_result(point, number, 0, 0.1); };
      simulate(scheduler, proposer, workers, entries);
      ASSERT_EQ(text_of(scheduler.finished()), expected) << "killed after " << kept << " events";
    }
  }
}

TEST(Scheduler, LostAndCrashedTrialsAreTriedAgainOthersAreNot) {
  for (const TrialStatus status :
       {TrialStatus::lost, TrialStatus::crashed, TrialStatus::failed, TrialStatus::timeout, TrialStatus::invalid}) {
    SchedulerOptions options = options_of(Schedule::async, 1);
    options.max_retries = 2;
    SimulatedWorkers workers = scripted_workers(1, 0, 0, 1);
    workers.evaluate = [&](const Point&, Index, Index) {
      TrialResult result;
      result.status = status;
      return result;
    };
    const Entries entries = run(options, workers);
    std::vector<Index> attempts;
    for (const JournalEntry& entry : entries)
      if (const auto* e = std::get_if<StartEvent>(&entry.event)) attempts.push_back(e->attempt);
    const bool again = status == TrialStatus::lost || status == TrialStatus::crashed;
    EXPECT_EQ(attempts, again ? (std::vector<Index>{0, 1, 2}) : std::vector<Index>{0}) << name(status);
    EXPECT_EQ(finished_of(options, entries).size(), 1u);
  }
}

TEST(Scheduler, TooManyFailuresEndTheRunAtTheSameTrialForAnyWorkers) {
  for (const Schedule schedule : kSchedules) {
    SchedulerOptions options = options_of(schedule, 200, 4);
    options.max_failures = 5;
    std::string first;
    for (const Index workers : {1, 2, 3, 8}) {
      Scheduler scheduler(options);
      DigestProposer proposer;
      Entries entries;
      simulate(scheduler, proposer, scripted_workers(workers, 0.1, 0.15, static_cast<std::uint64_t>(workers)), entries);
      EXPECT_TRUE(scheduler.over() && scheduler.too_many_failures());
      EXPECT_EQ(scheduler.failures(), 6);
      EXPECT_NE(scheduler.finished().back().result.status, TrialStatus::ok);
      EXPECT_FALSE(scheduler.next_start(0).has_value());
      EXPECT_FALSE(scheduler.can_propose());
      if (schedule == Schedule::async) continue;
      if (first.empty()) first = text_of(scheduler.finished());
      EXPECT_EQ(text_of(scheduler.finished()), first);
    }
  }
}

TEST(Scheduler, TheBestIsTheLeastValueThatSucceededAndMeetsItsConstraints) {
  struct Case {
    TrialStatus status;
    double value;
    std::map<std::string, double> constraints;
    Index best;
  };
  Scheduler scheduler(options_of(Schedule::async, 7));
  DigestProposer proposer;
  Index number = 0;
  for (const auto& [status, value, constraints, best] :
       {Case{TrialStatus::ok, 1, {{"c", 0.1}}, -1}, Case{TrialStatus::failed, 2, {}, -1},
        Case{TrialStatus::ok, 5, {{"c", 0}}, 2}, Case{TrialStatus::ok, 6, {}, 2},
        Case{TrialStatus::ok, 4, {{"c", -1}, {"d", 1e-9}}, 2}, Case{TrialStatus::ok, 5, {}, 2},
        Case{TrialStatus::ok, 4.5, {{"c", -1}, {"d", -1}}, 6}}) {
    scheduler.apply(scheduler.propose(proposer));
    scheduler.apply(StartEvent{number, 0, 0});
    TrialResult result;
    result.status = status;
    result.value = value;
    result.constraints = constraints;
    scheduler.apply(ResultEvent{number++, 0, result});
    EXPECT_EQ(scheduler.best(), best);
  }
}

TEST(Scheduler, WhatCannotComeNowIsRefused) {
  Scheduler scheduler(options_of(Schedule::async, 3));
  DigestProposer proposer;
  EXPECT_THROW(scheduler.apply(StartEvent{0, 0, 0}), Error);
  EXPECT_THROW(scheduler.apply(ResultEvent{0, 0, {}}), Error);
  EXPECT_THROW(scheduler.apply(ProposeEvent{1, {0, 0}, {}, 0, {}, 0}), Error);
  scheduler.apply(scheduler.propose(proposer));
  EXPECT_THROW(scheduler.apply(ResultEvent{0, 0, {}}), Error);
  EXPECT_THROW(scheduler.apply(StartEvent{0, 1, 0}), Error);
  scheduler.apply(StartEvent{0, 0, 0});
  EXPECT_THROW(scheduler.apply(StartEvent{0, 0, 0}), Error);
  EXPECT_THROW(scheduler.apply(ResultEvent{0, 1, {}}), Error);
  scheduler.apply(ResultEvent{0, 0, {}});
  EXPECT_THROW(scheduler.apply(ResultEvent{0, 0, {}}), Error);
}

// A trial takes 10 s in the middle, a proposal 50 ms: with 64 workers one ends every 0.2 s.
TEST(Scheduler, WorkersOnASimulatedClockAreBusy) {
  for (const Index workers : {1, 4, 8, 16, 64}) {
    const SchedulerOptions options = options_of(Schedule::async, 20 * workers + 20);
    const WorkerUse use = worker_use(run(options, scripted_workers(workers, 0.05, 0.02, 12)));
    EXPECT_GE(use.busy_fraction, 0.98) << workers << " workers";
    EXPECT_LE(use.busy_fraction, 1.0);
    EXPECT_LE(use.busy_fraction_to_end, use.busy_fraction + 0.01);
  }
}

TEST(Scheduler, AWorkerThatIsFreeFindsAProposalPrepared) {
  // 0.3 s a proposal, which a worker would wait for without preparation.
  const SchedulerOptions options = options_of(Schedule::async, 400);
  const WorkerUse use = worker_use(run(options, scripted_workers(8, 0.3, 0, 12)));
  EXPECT_LT(use.mean_answer_seconds, 0.005);
  EXPECT_LT(use.late_answer_seconds, 0.01);
  EXPECT_GE(use.busy_fraction, 0.98);
}

TEST(Scheduler, AQuickProposerIsAskedWhenAWorkerIsFreeAndKnowsAllResults) {
  class Quick : public DigestProposer {
    bool is_quick() const override { return true; }
  };
  Quick proposer;
  Scheduler scheduler(options_of(Schedule::async, 60));
  Entries entries;
  simulate(scheduler, proposer, scripted_workers(8, 0, 0, 12), entries);
  Index results = 0;
  for (const JournalEntry& entry : entries) {
    if (std::holds_alternative<ResultEvent>(entry.event)) ++results;
    if (const auto* event = std::get_if<ProposeEvent>(&entry.event)) {
      EXPECT_EQ(event->known, results) << event->number;
    }
  }
}

TEST(Scheduler, ABatchWaitsForItsSlowestTrialAndWorkerUseTellsIt) {
  const WorkerUse together = worker_use(run(options_of(Schedule::batch, 160, 8), scripted_workers(8, 0.05, 0, 12)));
  EXPECT_LT(together.busy_fraction, 0.7);
  EXPECT_GT(together.busy_fraction, 0.3);
}

}  // namespace
}  // namespace tempera::test
