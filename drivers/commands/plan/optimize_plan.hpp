#pragma once

#include <optional>
#include <string>
#include <vector>

#include "distributed/bayesopt/optimization_plan.hpp"
#include "distributed/bayesopt/rank_layout.hpp"
#include "drivers/commands/plan/proposal_costs.hpp"

namespace tempera::drivers {

/// Mean seconds of a proposal after so many trials, on one process of this machine.
struct ProposalCost {
  Index trials = 0;
  double seconds = 0;
};

struct OptimizeScalingRow {
  int ranks = 1;
  Index workers = 1;
  Index trials = 1;
  OptimizationTime time;
  double speedup = 1;  ///< trials a second over those of the first row
};

/// One length of a trial.
struct OptimizeTimes {
  double trial_seconds = 1;
  double workers_served = 0;             ///< at the end of the run
  std::vector<OptimizeScalingRow> rows;  ///< this run
  std::vector<OptimizeScalingRow> weak;  ///< as many trials a worker as this run has
  Traffic of_model;  ///< of all ranks together: what ranks of the model get, give and deal; without what they share
};

/// One evidence of a model that ranks share.
struct SharedEvidence {
  Traffic counted;         ///< by the communicator
  double scalapack_bytes;  ///< those that ScaLAPACK sends beside that, about
  Index of_a_fit;          ///< so many a fit takes, about
};

struct OptimizePlan {
  explicit OptimizePlan(const RankLayout& ranks) : layout(ranks) {}

  std::string what;
  RankLayout layout;
  Index workers = 1;  ///< trials at once
  std::vector<MeasuredProposal> measured;
  bool measured_to_the_end = true;
  std::vector<ProposalCost> shown;  ///< for the table
  double memory = 0;                ///< bytes of the model at the end, on a rank that computes it
  double growth = 0;                ///< of that process in all, as summary.json has it: memory_growth_bytes_max
  double memory_alone = 0;          ///< the same if rank 0 did it alone
  std::vector<OptimizeTimes> times;
  Traffic beside_trials;                 ///< of all ranks together
  Traffic of_trials;                     ///< the same: trials that succeed at once
  std::optional<SharedEvidence> shared;  ///< at the end, where models become that large
};

/// @param trial_seconds  nothing: 1 s, 1 min and 1 h
OptimizePlan plan_optimize(const OptimizeOptions& options, const OptimizeProblem& problem, int ranks,
                           std::optional<double> trial_seconds);

}  // namespace tempera::drivers
