#pragma once

#include <optional>
#include <string>
#include <vector>

#include "distributed/bayesopt/optimization_plan.hpp"
#include "distributed/bayesopt/rank_layout.hpp"
#include "drivers/commands/optimize/optimize_options.hpp"
#include "drivers/commands/optimize/optimize_problem.hpp"

namespace tempera::drivers {

/// Seconds of a proposal after so many trials, on one process of this machine.
struct ProposalCost {
  Index trials = 0;
  double seconds = 0;
};

/// What a proposal takes as trials become more: measured where that is quick, beyond on the line through the last two in
/// logarithms, no steeper than a Cholesky factorisation.
class ProposalCosts {
 public:
  /// Proposes for some three seconds with trials that need not run. @param budget  more are not asked for
  ProposalCosts(const OptimizeProblem& problem, const OptimizeOptions& options, Index budget);

  double operator()(Index trials) const;
  const std::vector<ProposalCost>& measured() const { return measured_; }
  /// Whether it was measured up to there, or is carried on.
  bool knows(Index trials) const { return measured_.empty() || trials <= measured_.back().trials; }

 private:
  std::vector<ProposalCost> measured_;  ///< empty: nothing is proposed by a model
};

struct OptimizeScalingRow {
  int ranks = 1;
  Index workers = 1;
  OptimizationTime time;
  double speedup = 1;
};

/// One length of a trial.
struct OptimizeTimes {
  double trial_seconds = 1;
  double workers_served = 0;  ///< at the end of the run
  std::vector<OptimizeScalingRow> rows;
};

struct OptimizePlan {
  explicit OptimizePlan(const RankLayout& ranks) : layout(ranks) {}

  std::string what;
  RankLayout layout;
  Index workers = 1;  ///< trials at once
  std::vector<ProposalCost> costs;
  bool measured_to_the_end = true;
  std::vector<ProposalCost> shown;  ///< for the table
  double memory = 0;                ///< bytes of the model at the end, on a rank that computes it
  double memory_alone = 0;          ///< the same if rank 0 did it alone
  std::vector<OptimizeTimes> times;
};

/// @param trial_seconds  nothing: 1 s, 1 min and 1 h
OptimizePlan plan_optimize(const OptimizeOptions& options, const OptimizeProblem& problem, int ranks,
                           std::optional<double> trial_seconds);

}  // namespace tempera::drivers
