#pragma once

#include <vector>

#include "core/bayesopt/proposer.hpp"
#include "distributed/bayesopt/planned_team.hpp"
#include "drivers/commands/optimize/optimize_options.hpp"
#include "drivers/commands/optimize/optimize_problem.hpp"

namespace tempera::drivers {

constexpr Index kFirstTrials = 20;  ///< with so many a proposal is measured first

/// Random points with the values of the built-in objective, or else with noise.
std::vector<Trial> made_up_trials(const OptimizeProblem& problem, Index count);

/// Evidences that a fit of a large model takes, which begins at the hyperparameters of the last one: counted with fewer trials
/// (random points), as the number depends on the function more than on them. A fit of Hartmann-6 takes 11 with 320 trials and 13
/// with 1600, one of Branin 60 and 28.
Index evidences_of_a_fit(const OptimizeProblem& problem);

/// A proposal after so many trials, as measured.
struct MeasuredProposal {
  Index trials = 0;
  double fitting = 0;                    ///< seconds where hyperparameters are found anew
  double following = 0;                  ///< seconds where they are not
  Traffic sent_fitting, sent_following;  ///< by all ranks of the model together, to each other
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
  /// Proposes for some seconds with trials that need not run; where ranks compute the model together, as if they did so at the
  /// same time. @param budget  more are not asked for
  ProposalCosts(const OptimizeProblem& problem, const OptimizeOptions& options, Index budget);

  /// Mean over proposals at about so many trials.
  double operator()(Index trials) const;
  /// The share of them that come with a fit.
  static double fits(Index trials);
  /// What was measured with the number of trials next below, or the least one.
  const MeasuredProposal& nearest(Index trials) const;
  /// Points that are chosen without a model, first of all.
  Index design() const { return design_; }
  /// What is said of one of them, and of one that a model chooses. @pre options.has_model()
  const Proposal& from_design() const { return from_design_; }
  const Proposal& from_model() const { return from_model_; }
  const std::vector<MeasuredProposal>& measured() const { return measured_; }
  /// Whether it was measured up to there, or is carried on.
  bool knows(Index trials) const { return measured_.empty() || trials <= measured_.back().trials; }

 private:
  void measure(const std::vector<Trial>& trials, Proposer& proposer, PlannedTeam& team);
  void measure_models(const OptimizeProblem& problem, const std::vector<Trial>& trials);
  double carried(double MeasuredProposal::*seconds, double ModelCost::*unit, double exponent, Index trials) const;
  double growth(double ModelCost::*unit, double exponent, Index trials) const;

  std::vector<MeasuredProposal> measured_;  ///< empty: nothing is proposed by a model
  Index design_ = 0;
  Proposal from_design_, from_model_;
  std::vector<ModelCost> models_;  ///< from the last of those on
};

}  // namespace tempera::drivers
