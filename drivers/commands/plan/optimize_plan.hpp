#pragma once

#include <optional>
#include <string>
#include <vector>

#include "distributed/bayesopt/optimization_plan.hpp"
#include "distributed/bayesopt/rank_layout.hpp"
#include "drivers/commands/optimize/optimize_options.hpp"
#include "drivers/commands/optimize/optimize_problem.hpp"

namespace tempera::drivers {

/// Mean seconds of a proposal after so many trials, on one process of this machine.
struct ProposalCost {
  Index trials = 0;
  double seconds = 0;
};

/// The same as measured.
struct MeasuredProposal {
  Index trials = 0;
  double fitting = 0;    ///< seconds where hyperparameters are found anew
  double following = 0;  ///< seconds where they are not
};

/// Seconds of what a model of so many trials repeats: an evidence with its gradient in a fit, a prediction with its gradient
/// in the search for a proposal.
struct ModelCost {
  Index trials = 0;
  double evidence = 0;
  double prediction = 0;
};

/// What a proposal takes as trials become more: measured below a hundred with and without a fit, carried on by the measured
/// growth of what a model repeats (a cubic and a square at last), with the share of proposals that come with a fit
/// (core/bayesopt/followed_gp.hpp).
class ProposalCosts {
 public:
  /// Proposes for some seconds with trials that need not run. @param budget  more are not asked for
  ProposalCosts(const OptimizeProblem& problem, const OptimizeOptions& options, Index budget);

  /// Mean over proposals at about so many trials.
  double operator()(Index trials) const;
  const std::vector<MeasuredProposal>& measured() const { return measured_; }
  /// Whether it was measured up to there, or is carried on.
  bool knows(Index trials) const { return measured_.empty() || trials <= measured_.back().trials; }

 private:
  void measure_models(const OptimizeProblem& problem, const std::vector<Trial>& trials);
  double carried(double MeasuredProposal::*seconds, double ModelCost::*unit, double exponent, Index trials) const;
  double growth(double ModelCost::*unit, double exponent, Index trials) const;

  std::vector<MeasuredProposal> measured_;  ///< empty: nothing is proposed by a model
  std::vector<ModelCost> models_;           ///< from the last of those on
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
  std::vector<MeasuredProposal> measured;
  bool measured_to_the_end = true;
  std::vector<ProposalCost> shown;  ///< for the table
  double memory = 0;                ///< bytes of the model at the end, on a rank that computes it
  double growth = 0;                ///< of that process in all, as summary.json has it: memory_growth_bytes_max
  double memory_alone = 0;          ///< the same if rank 0 did it alone
  std::vector<OptimizeTimes> times;
  Traffic beside_trials;  ///< of all ranks together; what ranks of a model get and give is not counted
  Traffic of_trials;      ///< the same, an estimate: values have more digits or fewer
};

/// @param trial_seconds  nothing: 1 s, 1 min and 1 h
OptimizePlan plan_optimize(const OptimizeOptions& options, const OptimizeProblem& problem, int ranks,
                           std::optional<double> trial_seconds);

}  // namespace tempera::drivers
