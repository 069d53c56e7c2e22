#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/base/index.hpp"
#include "core/bayesopt/proposer.hpp"
#include "distributed/bayesopt/evaluator.hpp"
#include "distributed/bayesopt/scheduler.hpp"
#include "distributed/communicator/operation_traffic.hpp"

namespace tempera {

/// An optimisation that need not run: who tries, and how long things take.
struct PlannedOptimization {
  SchedulerOptions scheduler;
  Index workers = 1;
  double trial_seconds = 1;  ///< in the mean; trials take between 80 and 120 % of it
  /// Of the proposal after so many trials.
  std::function<double(Index trials)> proposing_seconds;
};

/// Trials that a proposal knows.
struct PlannedBasis {
  Index finished = 0;
  Index pending = 0;
};

struct OptimizationTime {
  double seconds = 0;
  double busy = 0;  ///< share of the workers' time in trials
};

/// What the scheduler and its pacing make of it, by discrete events: points are proposed one after the other, so many ahead as
/// Pacing has them made, or batch by batch. Cost: budget · log(workers).
/// @param bases  if not null, gets what every proposal knows
OptimizationTime optimization_time(const PlannedOptimization& plan, std::vector<PlannedBasis>* bases = nullptr);

// What a run sends, on all ranks together, as the communicator counts it in the region "optimize": Courier's letters of
// 24 bytes. How many a message takes depends on the numbers of parameters and of constraints and on words, not on values.

/// A trial, between rank 0 and the first rank of its group.
/// @param ranks  of the group, where it evaluates together: then its first rank passes the request on
Traffic trial_traffic(const TrialRequest& request, const TrialAnswer& answer, int ranks = 1);
/// The same of any first attempt that succeeds.
Traffic trial_traffic(Index parameters, std::span<const std::string> constraints, int ranks = 1);
/// What is sent once, so that all begin and leave together.
Traffic traffic_beside_trials(int ranks);

/// Letters to and from the ranks of a model, of runs whose trials succeed. What those ranks send to each other meanwhile: see
/// PlannedTeam and, of models that they share, sharded_gp_traffic.hpp.
class ModelLetters {
 public:
  ModelLetters(Index parameters, std::span<const std::string> constraints);
  /// From rank 0 to each of them. @param told  trials that finished since the request before  @param pending  on their way
  Traffic request(Index told, Index pending) const;
  /// From the first of them.
  static Traffic answer(const Proposal& proposal);

 private:
  static constexpr Index kMeasured = 3;
  std::array<std::array<Index, kMeasured>, kMeasured> bytes_;  // of requests with 0, 1, 2 trials told and pending
};

/// The number of workers that ask for points as fast as they are made: more of them wait.
double workers_served(double trial_seconds, double proposing_seconds);

/// Bytes of the Gaussian process of so many trials, on a rank that computes it: the factors of its covariance (one for
/// each draw of the hyperparameters, with room for more rows) and those of the search for them; what is sharded (see ShardedGpMaker) is shared.
/// @param draws  of the hyperparameters, as long as they are drawn (GpFitOptions::draws_below)
/// @param ranks  that compute the model together
double model_memory(Index trials, Index draws, int ranks);

}  // namespace tempera
