#include "distributed/bayesopt/optimization.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/mpi/bayesopt/optimization_fixture.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/shared_folder.hpp"

namespace tempera::test {
namespace {

TEST(Optimization, BatchAndBlindRunsAreTheSameOnEveryNumberOfRanks) {
  on_all_ranks([](const Communicator& world) {
    for (const Schedule schedule : {Schedule::batch, Schedule::blind}) {
      const OptimizationOptions options = options_of(schedule, 50);
      DigestProposer proposer;
      FunctionEvaluator evaluator = scripted_evaluator();
      const OptimizationResult result = optimize(world, unit_square(), proposer, evaluator, options);
      EXPECT_FALSE(result.stopped);
      EXPECT_EQ(proposer.proposals, world.is_root() ? 50 : 0);
      if (world.is_root()) {
        EXPECT_EQ(text_of(result.scheduler), simulated(options));
      }
    }
  });
}

TEST(Optimization, AsynchronouslyEveryTrialCountsOnceAndProposalsAreThoseOfTheReplayedJournal) {
  on_all_ranks([](const Communicator& world) {
    const SharedFolder folder(world);
    const OptimizationOptions options = options_of(Schedule::async, 120, folder.path() / "journal.jsonl");
    DigestProposer proposer;
    FunctionEvaluator evaluator = scripted_evaluator();
    std::vector<Index> counted;
    OptimizationObserver observer;
    observer.counted = [&](const Scheduler&, const Trial& trial) { counted.push_back(trial.number); };
    const OptimizationResult result = optimize(world, unit_square(), proposer, evaluator, options, observer);
    if (!world.is_root()) return;
    std::sort(counted.begin(), counted.end());
    std::vector<Index> all(120);
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(counted, all);
    Scheduler replayed(options.scheduler);
    for (const JournalEntry& entry : Journal::read(options.journal)) {
      if (const auto* event = std::get_if<ProposeEvent>(&entry.event)) {
        const ProposalBasis basis = replayed.basis_of(*event);
        EXPECT_EQ(proposer.propose(basis.number, basis.finished, basis.pending).point, event->point);
      }
      replayed.apply(entry.event);
    }
    EXPECT_EQ(state_of(replayed), state_of(result.scheduler));
    EXPECT_EQ(result.use.busy_fraction <= 1, true);
  });
}

TEST(Optimization, StoppedAgainAndAgainItGoesOnFromTheJournalAndEndsAsIfNothingHadHappened) {
  on_all_ranks([](const Communicator& world) {
    const SharedFolder folder(world);
    const OptimizationOptions options = options_of(Schedule::batch, 40, folder.path() / "journal.jsonl");
    std::string end;
    int sessions = 0;
    for (bool stopped = true; stopped; ++sessions) {
      ASSERT_LT(sessions, 60);
      DigestProposer proposer;
      FunctionEvaluator evaluator = scripted_evaluator();
      Index counted = 0, before = -1;
      OptimizationObserver observer;
      observer.resumed = [&](const Scheduler& scheduler, double) { before = std::ssize(scheduler.finished()); };
      observer.counted = [&](const Scheduler&, const Trial&) { ++counted; };
      // Rank 1 is the one that wishes, if there is one.
      const bool wishes = world.rank() == std::min(1, world.size() - 1);
      int looks = 0;
      observer.stop_requested = [&] { return wishes && ++looks > 9; };
      const OptimizationResult result = optimize(world, unit_square(), proposer, evaluator, options, observer);
      stopped = result.stopped;
      if (!world.is_root()) continue;
      EXPECT_EQ(before + counted, std::ssize(result.scheduler.finished()));
      end = text_of(result.scheduler);
      EXPECT_EQ(std::get<StopEvent>(result.events.back().event).reason, stopped ? "request" : "budget");
    }
    if (world.is_root()) {
      EXPECT_EQ(end, simulated(options));
    }
    EXPECT_GT(sessions, 1);
  });
}

TEST(Optimization, AFinishedRunIsExtendedByALargerBudget) {
  on_all_ranks([](const Communicator& world) {
    const SharedFolder folder(world);
    OptimizationOptions options = options_of(Schedule::batch, 10, folder.path() / "journal.jsonl");
    for (const Index budget : {10, 10, 27}) {
      options.scheduler.budget = budget;
      DigestProposer proposer;
      FunctionEvaluator evaluator = scripted_evaluator();
      const OptimizationResult result = optimize(world, unit_square(), proposer, evaluator, options);
      if (world.is_root()) {
        EXPECT_EQ(text_of(result.scheduler), simulated(options));
      }
    }
  });
}

TEST(Optimization, AJournalOfAnotherSpaceOrConfigurationIsRefusedOnAllRanks) {
  const Communicator world(MPI_COMM_WORLD);
  const SharedFolder folder(world);
  OptimizationOptions options = options_of(Schedule::async, 5, folder.path() / "journal.jsonl");
  const auto error_of = [&](const Space& space) -> std::string {
    DigestProposer proposer;
    FunctionEvaluator evaluator = scripted_evaluator();
    try {
      optimize(world, space, proposer, evaluator, options);
      return "none";
    } catch (const Error& error) {
      return error.what_is_wrong();
    }
  };
  EXPECT_EQ(error_of(unit_square()), "none");
  Parameter wider;
  wider.name = "x";
  wider.high = 2;
  EXPECT_EQ(error_of(Space({wider})), "the run began with another space or with other options");
  options.configuration["seed"] = 1;
  EXPECT_EQ(error_of(unit_square()), "the run began with another space or with other options");
}

TEST(Optimization, WhatAnObjectiveThrowsIsTheReasonOfAFailedTrial) {
  on_all_ranks([](const Communicator& world) {
    DigestProposer proposer;
    FunctionEvaluator evaluator([](const TrialRequest& request) -> TrialResult {
      if (request.number % 3 == 0) throw std::runtime_error("no luck");
      if (request.number % 3 == 1) throw Error(Category::numerical, "here", "it diverged");
      TrialResult result;
      result.value = std::numeric_limits<double>::infinity();
      return result;
    });
    const auto result = optimize(world, unit_square(), proposer, evaluator, options_of(Schedule::batch, 3));
    if (!world.is_root()) return;
    const auto& finished = result.scheduler.finished();
    EXPECT_EQ(finished[0].result.reason, "no luck");
    EXPECT_EQ(finished[1].result.reason, "here: it diverged");
    EXPECT_EQ(finished[2].result.reason, "the value is inf");
    EXPECT_EQ(finished[2].result.status, TrialStatus::invalid);
    EXPECT_EQ(result.scheduler.failures(), 3);
    EXPECT_EQ(result.scheduler.best(), -1);
  });
}

TEST(Optimization, AProposerOrAnEvaluatorThatFailsEndsItOnAllRanks) {
  class Broken : public DigestProposer {
   public:
    Proposal propose(Index number, std::span<const Trial> finished, std::span<const PendingTrial> pending) override {
      if (number == 7) throw Error(Category::numerical, "", "no model can be made");
      return DigestProposer::propose(number, finished, pending);
    }
  };
  class Unwilling : public FunctionEvaluator {
   public:
    using FunctionEvaluator::FunctionEvaluator;
    void begin(const TrialRequest& request) override {
      if (request.number == 5) throw Error(Category::environment, "", "no processes left");
      FunctionEvaluator::begin(request);
    }
  };
  const Communicator world(MPI_COMM_WORLD);
  const auto error_of = [&](Proposer& proposer, Evaluator& evaluator) -> std::string {
    try {
      optimize(world, unit_square(), proposer, evaluator, options_of(Schedule::async, 20));
      return "none";
    } catch (const Error& error) {
      return error.what_is_wrong();
    }
  };
  for (int round = 0; round < 5; ++round) {
    Broken broken;
    DigestProposer proposer;
    FunctionEvaluator evaluator = scripted_evaluator();
    Unwilling unwilling([](const TrialRequest& request) { return scripted_result(request.point, request.number, 0); });
    EXPECT_EQ(error_of(broken, evaluator), "no model can be made");
    EXPECT_EQ(error_of(proposer, unwilling), "no processes left");
  }
}

/// Trials that run elsewhere: each needs some looks.
class SlowTrials : public Evaluator {
 public:
  explicit SlowTrials(Index slots) : slots_(slots) {}
  Index slots() const override { return slots_; }
  void begin(const TrialRequest& request) override {
    ASSERT_LT(std::ssize(running_), slots_);
    running_.push_back({request, static_cast<int>(6 + request.number % 5)});
  }
  std::optional<TrialAnswer> poll() override {
    most = std::max(most, std::ssize(running_));
    for (std::size_t k = 0; k < running_.size(); ++k)
      if (--running_[k].second < 0) {
        const TrialRequest request = running_[k].first;
        running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(k));
        return TrialAnswer{request.number, request.attempt, scripted_result(request.point, request.number, 0)};
      }
    return std::nullopt;
  }
  void cancel() override { running_.clear(); }
  Index most = 0;

 private:
  Index slots_;
  std::vector<std::pair<TrialRequest, int>> running_;
};

TEST(Optimization, ARankMayHaveSeveralTrialsOnTheirWay) {
  on_all_ranks([](const Communicator& world) {
    for (const Schedule schedule : {Schedule::async, Schedule::batch}) {
      const OptimizationOptions options = options_of(schedule, 60);
      DigestProposer proposer;
      SlowTrials evaluator(3);
      const OptimizationResult result = optimize(world, unit_square(), proposer, evaluator, options);
      if (world.size() == 1) {
        EXPECT_EQ(evaluator.most, 3);
      }
      if (!world.is_root()) continue;
      EXPECT_EQ(std::ssize(result.scheduler.finished()), 60);
      if (schedule == Schedule::batch) {
        EXPECT_EQ(text_of(result.scheduler), simulated(options, 0));
      }
    }
  });
}

}  // namespace
}  // namespace tempera::test
