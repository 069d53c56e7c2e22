#include "distributed/bayesopt/optimization_plan.hpp"

#include <gtest/gtest.h>

#include "core/base/random_stream.hpp"
#include "core/bayesopt/blind_proposers.hpp"
#include "core/bayesopt/gp_proposer.hpp"
#include "core/bayesopt/objectives.hpp"
#include "distributed/bayesopt/ask_tell.hpp"
#include "distributed/bayesopt/planned_team.hpp"
#include "distributed/bayesopt/simulation.hpp"
#include "tests/mpi/bayesopt/optimization_fixture.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

/// Points at random that are said to take long.
class SlowProposer final : public Proposer {
 public:
  explicit SlowProposer(const Space& space) : points_(space, 1) {}
  Proposal propose(Index number, std::span<const Trial>, std::span<const PendingTrial>) override {
    return points_.propose(number, {}, {});
  }

 private:
  RandomProposer points_;
};

/// The engine's own scheduler and pacing on a clock that does not tick.
OptimizationTime simulated(const PlannedOptimization& plan) {
  const TestObjective objective("branin");
  SlowProposer proposer(objective.space());
  Scheduler scheduler(plan.scheduler);
  SimulatedWorkers workers;
  workers.workers = plan.workers;
  workers.proposing_seconds = plan.proposing_seconds(0);
  workers.seconds = [&](Index number, Index) {
    return plan.trial_seconds * (0.8 + 0.4 * RandomStream(9, "trial", {number}).uniform());
  };
  workers.evaluate = [](const Point&, Index, Index) {
    TrialResult result;
    result.value = 1;
    return result;
  };
  std::vector<JournalEntry> entries;
  simulate(scheduler, proposer, workers, entries);
  double tried = 0;
  for (const Trial& trial : scheduler.finished()) tried += trial.result.seconds;
  const double seconds = entries.back().seconds;
  return {seconds, tried / (seconds * static_cast<double>(plan.workers))};
}

TEST(OptimizationPlan, TakesAsLongAsTheSchedulerDoes) {
  for (const Schedule schedule : {Schedule::async, Schedule::batch})
    for (const Index workers : {1, 3, 16})
      for (const double proposing : {0.001, 0.05, 0.5, 3.0}) {
        SCOPED_TRACE(std::to_string(workers) + " workers, " + std::to_string(proposing) + " s a proposal");
        PlannedOptimization plan;
        plan.scheduler.schedule = schedule;
        plan.scheduler.budget = 240;
        plan.scheduler.batch = schedule == Schedule::batch ? 12 : 1;
        plan.workers = workers;
        plan.trial_seconds = 1;
        plan.proposing_seconds = [&](Index) { return proposing; };
        const OptimizationTime planned = optimization_time(plan), found = simulated(plan);
        EXPECT_NEAR(planned.seconds / found.seconds, 1, 0.05);
        EXPECT_NEAR(planned.busy / found.busy, 1, 0.05);
      }
}

Traffic counted(const Communicator& world, const std::string& region) {
  Traffic traffic;
  for (const RegionTable::Row& row : world.regions().rows())
    if (row.path == region) traffic += {row.messages, row.bytes};
  return {world.all_reduce_value(traffic.messages, Reduction::sum),
          world.all_reduce_value(traffic.bytes, Reduction::sum)};
}

/// Of all that a run has tried.
Traffic foreseen(const OptimizationResult& result, const OptimizationOptions& options, int ranks, int copies) {
  Traffic traffic = traffic_beside_trials(ranks);
  if (ranks == 1) return traffic;
  for (const Trial& trial : result.scheduler.finished())
    traffic += trial_traffic({trial.number, 0, seed_of_trial(options.seed, trial.number), trial.point},
                             {trial.number, 0, trial.result}, copies);
  return traffic;
}

TEST(OptimizationPlan, TrafficOfTheTrialsIsWhatTheCommunicatorCounts) {
  test::on_all_ranks([](const Communicator& world) {
    for (const Schedule schedule : {Schedule::batch, Schedule::async}) {
      const OptimizationOptions options = test::options_of(schedule, 60);
      const Communicator own(world.handle());  // with regions of its own
      test::DigestProposer proposer;
      FunctionEvaluator evaluator = test::scripted_evaluator();
      const auto result = optimize(own, test::unit_square(), proposer, evaluator, options);
      const Traffic sent = counted(own, "optimize");
      if (world.is_root()) {
        EXPECT_EQ(sent, foreseen(result, options, world.size(), 1)) << sent.bytes;
      }
    }
  });
}

TEST(OptimizationPlan, TrafficOfTrialsThatSucceedIsKnownWithoutThem) {
  test::on_all_ranks([](const Communicator& world) {
    for (const Schedule schedule : {Schedule::batch, Schedule::async, Schedule::blind}) {
      const OptimizationOptions options = test::options_of(schedule, 60);
      const Communicator own(world.handle());
      test::DigestProposer proposer;
      FunctionEvaluator evaluator = test::scripted_evaluator(0);
      optimize(own, test::unit_square(), proposer, evaluator, options);
      const Traffic sent = counted(own, "optimize");
      const Traffic trials = world.size() > 1 ? 60 * trial_traffic(2, {}) : Traffic();
      EXPECT_EQ(sent, trials + traffic_beside_trials(world.size())) << sent.bytes;
    }
  });
}

TEST(OptimizationPlan, TrafficOfTheModelIsWhatTheCommunicatorCounts) {
  test::on_all_ranks([](const Communicator& world) {
    const Space space = test::unit_square();
    for (const HyperMethod method : {HyperMethod::map, HyperMethod::bayes})
      for (int model_ranks = 1; model_ranks + 2 <= world.size(); ++model_ranks) {
        OptimizationOptions options = test::options_of(Schedule::batch, 22);
        options.ranks.model_ranks = model_ranks;
        options.team = std::make_shared<RankTeam>();
        GpProposerOptions model;
        model.initial = 5;
        model.model.hyperparameters.method = method;
        model.team = options.team;
        GpProposer proposer(space, model);
        FunctionEvaluator evaluator = test::scripted_evaluator(0);
        const Communicator own(world.handle());
        const auto result = optimize(own, space, proposer, evaluator, options);
        const Traffic sent = counted(own, "optimize");
        if (!world.is_root()) continue;
        const auto team = std::make_shared<PlannedTeam>(model_ranks);
        model.team = team;
        GpProposer planned(space, model);
        const ModelLetters letters(space.size(), {});
        Scheduler scheduler(options.scheduler);
        Traffic expected = traffic_beside_trials(world.size()) + 22 * trial_traffic(space.size(), {});
        Index told = 0;
        for (const JournalEntry& entry : result.events) {
          if (const auto* event = std::get_if<ProposeEvent>(&entry.event)) {
            const ProposalBasis basis = scheduler.basis_of(*event);
            const Proposal proposal = planned.propose(basis.number, basis.finished, basis.pending);
            EXPECT_EQ(proposal.point, event->point);
            expected += model_ranks * letters.request(std::ssize(basis.finished) - told, std::ssize(basis.pending)) +
                        ModelLetters::answer(proposal);
            told = std::ssize(basis.finished);
          }
          scheduler.apply(entry.event);
        }
        const PlannedTeam::Work work = team->take();
        EXPECT_GE(work.seconds_saved, 0);
        EXPECT_EQ(work.sent.bytes > 0, model_ranks > 1);
        EXPECT_EQ(sent, expected + work.sent) << sent.bytes;
      }
  });
}

TEST(OptimizationPlan, KnowsWhatEveryProposalOfABatchKnows) {
  PlannedOptimization plan;
  plan.scheduler.schedule = Schedule::batch;
  plan.scheduler.budget = 10;
  plan.scheduler.batch = 4;
  plan.workers = 3;
  plan.proposing_seconds = [](Index) { return 0.1; };
  std::vector<PlannedBasis> bases;
  optimization_time(plan, &bases);
  ASSERT_EQ(bases.size(), 10);
  for (Index n = 0; n < 10; ++n) {
    EXPECT_EQ(bases[static_cast<std::size_t>(n)].finished, n / 4 * 4);
    EXPECT_EQ(bases[static_cast<std::size_t>(n)].pending, n % 4);
  }
}

TEST(OptimizationPlan, KnowsHowManyTrialsAreOnTheirWayAtAProposal) {
  PlannedOptimization plan;
  plan.scheduler.budget = 500;
  plan.workers = 8;
  plan.trial_seconds = 1;
  plan.proposing_seconds = [](Index) { return 0.001; };
  std::vector<PlannedBasis> bases;
  optimization_time(plan, &bases);
  for (Index n = 0; n < 500; ++n) {
    const auto [finished, pending] = bases[static_cast<std::size_t>(n)];
    EXPECT_EQ(finished + pending, n);
    if (n >= 8) {
      EXPECT_GE(pending, 7);
      EXPECT_LE(pending, 9) << "one is prepared";
    }
  }
}

TEST(OptimizationPlan, TrafficOfGroupsHasTheRequestsThatTheirFirstRanksPassOn) {
  test::on_all_ranks([](const Communicator& world) {
    if (world.size() < 3) return;
    OptimizationOptions options = test::options_of(Schedule::batch, 40);
    options.ranks.ranks_per_trial = 2;  // of four ranks one is idle
    const Communicator own(world.handle());
    test::DigestProposer proposer;
    FunctionEvaluator evaluator([](const TrialRequest& request, const Communicator&) {
      return std::optional(test::scripted_result(request.point, request.number, 0, 0));
    });
    const auto result = optimize(own, test::unit_square(), proposer, evaluator, options);
    const Traffic sent = counted(own, "optimize");
    if (world.is_root()) {
      EXPECT_EQ(sent, foreseen(result, options, world.size(), 2)) << sent.bytes;
    }
  });
}

TEST(OptimizationPlan, KnowsTheLimits) {
  PlannedOptimization plan;
  plan.scheduler.budget = 4000;
  plan.workers = 10;
  plan.trial_seconds = 2;
  plan.proposing_seconds = [](Index) { return 0.0; };
  EXPECT_NEAR(optimization_time(plan).seconds, 4000 * 2 / 10.0, 6);
  EXPECT_NEAR(optimization_time(plan).busy, 1, 0.01);
  plan.proposing_seconds = [](Index) { return 1.0; };  // five times too slow
  EXPECT_NEAR(optimization_time(plan).seconds, 4000, 4);
  EXPECT_NEAR(optimization_time(plan).busy, 0.2, 0.01);
  EXPECT_EQ(workers_served(2, 1), 2);
}

TEST(OptimizationPlan, ModelMemoryIsSharedFromTheSizesOnAtWhichModelsAre) {
  EXPECT_DOUBLE_EQ(model_memory(1000, 16, 1), 8e6 * (16 * 1.4 + 2));
  EXPECT_DOUBLE_EQ(model_memory(1000, 16, 8), 8e6 * (16 * 1.4 + 2)) << "too few to share";
  EXPECT_DOUBLE_EQ(model_memory(2000, 16, 1), 8 * 4e6 * 3.4) << "beyond the draws";
  EXPECT_DOUBLE_EQ(model_memory(2000, 16, 8), 8 * 4e6 * 1.65) << "every rank has the factor in the end";
  EXPECT_EQ(model_memory(10000, 16, 8), 8 * 1e8 * 3 / 8);
}

}  // namespace
}  // namespace tempera
