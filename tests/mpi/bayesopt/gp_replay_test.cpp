#include <gtest/gtest.h>

#include "core/bayesopt/gp_proposer.hpp"
#include "core/bayesopt/objectives.hpp"
#include "tests/mpi/bayesopt/scripted_trials.hpp"

namespace tempera::test {
namespace {

GpProposerOptions quick_options() {
  GpProposerOptions options;
  options.seed = 3;
  options.model.hyperparameters.method = HyperMethod::map;
  return options;
}

// What resume relies on: a proposer that has seen nothing before gives the point that one gave which saw all.
TEST(GpReplay, AProposerWithoutAPastGivesThePointsOfTheJournal) {
  const TestObjective branin("branin");
  for (const Schedule schedule : {Schedule::async, Schedule::batch}) {
    SchedulerOptions options;
    options.schedule = schedule;
    options.budget = 20;
    options.batch = 3;
    SimulatedWorkers workers = scripted_workers(4, 0.5, 0, 2);
    workers.evaluate = [&](const Point& point, Index number, Index) {
      TrialResult result;
      result.status = number % 7 == 5 ? TrialStatus::failed : TrialStatus::ok;
      if (result.status == TrialStatus::ok) result.value = branin.exact(point);
      return result;
    };
    Scheduler live(options);
    GpProposer proposer(branin.space(), quick_options());
    std::vector<JournalEntry> entries;
    simulate(live, proposer, workers, entries);
    Scheduler replayed(options);
    for (const JournalEntry& entry : entries) {
      if (const auto* event = std::get_if<ProposeEvent>(&entry.event)) {
        const ProposalBasis basis = replayed.basis_of(*event);
        GpProposer fresh(branin.space(), quick_options());
        EXPECT_EQ(fresh.propose(basis.number, basis.finished, basis.pending).point, event->point) << event->number;
      }
      replayed.apply(entry.event);
    }
  }
}

}  // namespace
}  // namespace tempera::test
