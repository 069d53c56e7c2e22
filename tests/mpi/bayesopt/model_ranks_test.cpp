#include <gtest/gtest.h>

#include "core/bayesopt/gp_proposer.hpp"
#include "tests/mpi/bayesopt/optimization_fixture.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/shared_folder.hpp"

namespace tempera::test {
namespace {

/// By Gaussian processes; the ranks of the model do it together.
OptimizationResult optimize_by_model(const Communicator& world, int model_ranks, OptimizationOptions options) {
  const Space space = unit_square();
  GpProposerOptions model;
  model.initial = 5;
  model.model.hyperparameters.method = HyperMethod::map;
  options.ranks.model_ranks = model_ranks;
  options.team = std::make_shared<RankTeam>();
  model.team = options.team;
  GpProposer proposer(space, model);
  FunctionEvaluator evaluator = scripted_evaluator();
  return optimize(world, space, proposer, evaluator, options);
}

TEST(ModelRanks, ABatchRunHasTheSameTrialsForAnyNumberOfThem) {
  on_all_ranks([](const Communicator& world) {
    const OptimizationOptions options = options_of(Schedule::batch, 22);
    const std::string without = text_of(optimize_by_model(world, 0, options).scheduler);
    for (int model_ranks = 1; model_ranks + 2 <= world.size(); ++model_ranks) {
      const OptimizationResult result = optimize_by_model(world, model_ranks, options);
      if (world.is_root()) {
        EXPECT_EQ(text_of(result.scheduler), without) << model_ranks;
      }
    }
  });
}

TEST(ModelRanks, ARunGoesOnWithAnotherNumberOfThem) {
  on_all_ranks([](const Communicator& world) {
    const std::string without = text_of(optimize_by_model(world, 0, options_of(Schedule::batch, 24)).scheduler);
    const SharedFolder folder(world);
    std::string end;
    for (const Index budget : {8, 16, 24}) {
      const int model_ranks = budget == 16 ? 0 : std::min<int>(static_cast<int>(budget) / 8, world.size() - 2);
      const auto result = optimize_by_model(world, std::max(0, model_ranks),
                                            options_of(Schedule::batch, budget, folder.path() / "journal.jsonl"));
      end = text_of(result.scheduler);
    }
    if (world.is_root()) {
      EXPECT_EQ(end, without);
    }
  });
}

TEST(ModelRanks, AllOfThemAreToldAllThatIsKnownAndAnswersAreThoseOfTheJournal) {
  on_all_ranks([](const Communicator& world) {
    if (world.size() < 3) return;
    const SharedFolder folder(world);
    OptimizationOptions options = options_of(Schedule::async, 60, folder.path() / "journal.jsonl");
    options.ranks.model_ranks = world.size() - 2;
    const RankRole role = RankLayout(world.size(), options.ranks).role(world.rank());
    for (const Index budget : {40, 60}) {  // the second time they are told of all at once
      options.scheduler.budget = budget;
      DigestProposer proposer;
      FunctionEvaluator evaluator = scripted_evaluator();
      optimize(world, unit_square(), proposer, evaluator, options);
      EXPECT_EQ(proposer.proposals, role == RankRole::model ? (budget == 40 ? 40 : 20) : 0);
    }
    if (!world.is_root()) return;
    DigestProposer proposer;
    Scheduler replayed(options.scheduler);
    for (const JournalEntry& entry : Journal::read(options.journal)) {
      if (const auto* event = std::get_if<ProposeEvent>(&entry.event)) {
        const ProposalBasis basis = replayed.basis_of(*event);
        const Proposal proposal = proposer.propose(basis.number, basis.finished, basis.pending);
        EXPECT_EQ(proposal.point, event->point);
        EXPECT_EQ(proposal.why, event->why);
      }
      replayed.apply(entry.event);
    }
    EXPECT_EQ(std::ssize(replayed.finished()), 60);
  });
}

TEST(ModelRanks, OneThatFailsEndsItOnAllRanks) {
  class Failing final : public DigestProposer {
   public:
    explicit Failing(bool fails) : fails_(fails) {}
    Proposal propose(Index number, std::span<const Trial> finished, std::span<const PendingTrial> pending) override {
      if (fails_ && number == 7) throw Error(Category::numerical, "", "no model of seven");
      return DigestProposer::propose(number, finished, pending);
    }

   private:
    bool fails_;
  };
  const Communicator world(MPI_COMM_WORLD);
  TEMPERA_REQUIRE_RANKS(world, 3);
  for (int failing = 1; failing <= world.size() - 2; ++failing) {  // the first of them, or one that does not answer
    OptimizationOptions options = options_of(Schedule::async, 30);
    options.ranks.model_ranks = world.size() - 2;
    Failing proposer(world.rank() == failing);
    FunctionEvaluator evaluator = scripted_evaluator();
    try {
      optimize(world, unit_square(), proposer, evaluator, options);
      ADD_FAILURE() << "rank " << failing << " has failed";
    } catch (const Error& error) {
      EXPECT_EQ(error.what_is_wrong(), "no model of seven");
      EXPECT_EQ(error.category(), Category::numerical);
    }
  }
}

}  // namespace
}  // namespace tempera::test
