#pragma once

#include <filesystem>
#include <string>

#include "distributed/bayesopt/optimization.hpp"
#include "tests/mpi/bayesopt/scripted_trials.hpp"

namespace tempera::test {

inline Space unit_square() {
  Parameter x, y;
  x.name = "x";
  y.name = "y";
  return Space({x, y});
}

inline FunctionEvaluator scripted_evaluator(double failing = 0.1) {
  return FunctionEvaluator(
      [failing](const TrialRequest& request) { return scripted_result(request.point, request.number, 0, failing); });
}

inline OptimizationOptions options_of(Schedule schedule, Index budget, const std::filesystem::path& journal = {}) {
  OptimizationOptions options;
  options.scheduler.schedule = schedule;
  options.scheduler.budget = budget;
  options.scheduler.batch = 4;
  options.journal = journal;
  return options;
}

inline std::string text_of(const Scheduler& scheduler) {
  std::string text;
  for (Trial trial : scheduler.finished()) {
    trial.result.seconds = 0;
    text += to_json(ResultEvent{trial.number, 0, trial.result}).dump() + "\n";
  }
  return text;
}

/// The same run on a clock of its own.
inline std::string simulated(const OptimizationOptions& options, double failing = 0.1) {
  Scheduler scheduler(options.scheduler);
  DigestProposer proposer;
  std::vector<JournalEntry> entries;
  SimulatedWorkers workers = scripted_workers(1, 0, failing, 1);
  workers.evaluate = [failing](const Point& point, Index number, Index) {
    return scripted_result(point, number, 0, failing);
  };
  simulate(scheduler, proposer, workers, entries);
  return text_of(scheduler);
}

}  // namespace tempera::test
