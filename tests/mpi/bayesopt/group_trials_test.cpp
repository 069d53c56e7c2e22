#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/mpi/bayesopt/optimization_fixture.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/shared_folder.hpp"

namespace tempera::test {
namespace {

/// Those that this number of ranks has room for.
std::vector<RankLayoutOptions> layouts(int ranks) {
  std::vector<RankLayoutOptions> all{{0, 1}};
  for (int each = 1; each < ranks; ++each)
    for (int model = 0; model + each < ranks; ++model) all.push_back({model, each});
  return all;
}

/// The scripted trial, where each rank adds its share of 12 twelfths.
TrialResult shared_trial(const TrialRequest& request, const Communicator& group) {
  TrialResult result = scripted_result(request.point, request.number, 0, 0.1);
  double twelfths = 0;
  for (int k = group.rank(); k < 12; k += group.size()) twelfths += 1;
  const double whole = group.all_reduce_value(twelfths, Reduction::sum);
  if (result.status == TrialStatus::ok) result.value += whole - 12;
  return result;
}

TEST(GroupTrials, AreTheSameForEveryLayout) {
  on_all_ranks([](const Communicator& world) {
    OptimizationOptions options = options_of(Schedule::batch, 40);
    for (const RankLayoutOptions& ranks : layouts(world.size())) {
      options.ranks = ranks;
      DigestProposer proposer;
      Index evaluated = 0;
      FunctionEvaluator evaluator([&](const TrialRequest& request, const Communicator& group) {
        ++evaluated;
        EXPECT_EQ(group.size(), ranks.ranks_per_trial);
        return shared_trial(request, group);
      });
      const OptimizationResult result = optimize(world, unit_square(), proposer, evaluator, options);
      if (world.is_root()) {
        EXPECT_EQ(text_of(result.scheduler), simulated(options));
      }
      EXPECT_EQ(world.all_reduce_value(evaluated, Reduction::sum), 40 * ranks.ranks_per_trial);
    }
  });
}

TEST(GroupTrials, AnObjectiveOfOneRankIsTriedOnTheFirstOfEachGroup) {
  on_all_ranks([](const Communicator& world) {
    OptimizationOptions options = options_of(Schedule::async, 30);
    for (const RankLayoutOptions& ranks : layouts(world.size())) {
      options.ranks = ranks;
      DigestProposer proposer;
      Index evaluated = 0;
      FunctionEvaluator evaluator([&](const TrialRequest& request) {
        ++evaluated;
        return scripted_result(request.point, request.number, 0);
      });
      optimize(world, unit_square(), proposer, evaluator, options);
      EXPECT_EQ(world.all_reduce_value(evaluated, Reduction::sum), 30);
      const RankLayout layout(world.size(), ranks);
      if (evaluated > 0) {
        EXPECT_TRUE(layout.is_alone() ||
                    (layout.superior(world.rank()) == 0 && layout.role(world.rank()) == RankRole::worker));
      }
    }
  });
}

TEST(GroupTrials, WhatAnyRankThrowsOrReportsIsTheResultAndNobodyWaitsForIt) {
  on_all_ranks([](const Communicator& world) {
    OptimizationOptions options = options_of(Schedule::batch, 40);
    for (const RankLayoutOptions& ranks : layouts(world.size())) {
      options.ranks = ranks;
      DigestProposer proposer;
      FunctionEvaluator evaluator([](const TrialRequest& request, const Communicator& group) {
        const bool culprit = group.rank() == request.number % group.size();
        TrialResult result;
        result.value = group.is_root() ? static_cast<double>(request.number) : NAN;  // only the first one's counts
        if (!culprit) {
          if (request.number % 4 < 2) group.barrier();  // for one that has gone
          return result;
        }
        if (request.number % 4 == 0) throw Error(Category::numerical, "here", "it diverged");
        if (request.number % 4 == 1) throw std::runtime_error("no luck");
        if (request.number % 4 == 2) {
          result.status = TrialStatus::crashed;
          result.reason = "so I say: " + std::to_string(group.rank());
        }
        return result;
      });
      const auto result = optimize(world, unit_square(), proposer, evaluator, options);
      if (!world.is_root()) continue;
      for (const Trial& trial : result.scheduler.finished()) {
        const Index kind = trial.number % 4;
        EXPECT_EQ(trial.result.status, kind < 2    ? TrialStatus::failed
                                       : kind == 2 ? TrialStatus::crashed
                                                   : TrialStatus::ok);
        EXPECT_EQ(trial.result.reason, kind == 0   ? "here: it diverged"
                                       : kind == 1 ? "no luck"
                                       : kind == 2 ? "so I say: " + std::to_string(trial.number % ranks.ranks_per_trial)
                                                   : "");
        if (kind == 3) {
          EXPECT_EQ(trial.result.value, static_cast<double>(trial.number));
        }
      }
      EXPECT_EQ(result.scheduler.failures(), 30);
    }
  });
}

TEST(GroupTrials, AValueThatIsNotFiniteOnTheFirstRankIsInvalid) {
  on_all_ranks([](const Communicator& world) {
    OptimizationOptions options = options_of(Schedule::batch, 4);
    for (const RankLayoutOptions& ranks : layouts(world.size())) {
      options.ranks = ranks;
      DigestProposer proposer;
      FunctionEvaluator evaluator([](const TrialRequest&, const Communicator& group) {
        TrialResult result;
        result.value = group.is_root() ? INFINITY : 1;
        return result;
      });
      const auto result = optimize(world, unit_square(), proposer, evaluator, options);
      if (!world.is_root()) continue;
      for (const Trial& trial : result.scheduler.finished()) EXPECT_EQ(trial.result.status, TrialStatus::invalid);
    }
  });
}

TEST(GroupTrials, AProposerThatFailsEndsItWhateverTheGroupsDo) {
  class Broken : public DigestProposer {
   public:
    Proposal propose(Index number, std::span<const Trial> finished, std::span<const PendingTrial> pending) override {
      if (number == 9) throw Error(Category::numerical, "", "no model can be made");
      return DigestProposer::propose(number, finished, pending);
    }
  };
  const Communicator world(MPI_COMM_WORLD);
  for (int round = 0; round < 10; ++round)
    for (const RankLayoutOptions& ranks : layouts(world.size())) {
      OptimizationOptions options = options_of(Schedule::async, 40);
      options.ranks = ranks;
      Broken broken;
      FunctionEvaluator evaluator(shared_trial);
      try {
        optimize(world, unit_square(), broken, evaluator, options);
        ADD_FAILURE() << "no error";
      } catch (const Error& error) {
        EXPECT_EQ(error.what_is_wrong(), "no model can be made");
      }
    }
}

TEST(GroupTrials, StoppedByAnyRankItGoesOnInAnotherLayout) {
  on_all_ranks([](const Communicator& world) {
    const SharedFolder folder(world);
    OptimizationOptions options = options_of(Schedule::batch, 40, folder.path() / "journal.jsonl");
    const auto all = layouts(world.size());
    bool stopped = true;
    for (std::size_t session = 0; stopped; ++session) {
      ASSERT_LT(session, 80u);
      options.ranks = all[session % all.size()];
      DigestProposer proposer;
      FunctionEvaluator evaluator(shared_trial);
      OptimizationObserver observer;
      int looks = 0;
      const bool wishes = world.rank() == static_cast<int>(session) % world.size();
      observer.stop_requested = [&] { return wishes && ++looks > 9; };
      const OptimizationResult result = optimize(world, unit_square(), proposer, evaluator, options, observer);
      stopped = result.stopped;
      if (world.is_root() && !stopped) {
        EXPECT_EQ(text_of(result.scheduler), simulated(options));
      }
    }
  });
}

TEST(GroupTrials, MoreRanksThanThereAreAreRefusedOnAllOfThem) {
  const Communicator world(MPI_COMM_WORLD);
  OptimizationOptions options = options_of(Schedule::async, 5);
  options.ranks.ranks_per_trial = world.size() + 1;
  DigestProposer proposer;
  FunctionEvaluator evaluator(shared_trial);
  EXPECT_THROW(optimize(world, unit_square(), proposer, evaluator, options), Error);
}

}  // namespace
}  // namespace tempera::test
