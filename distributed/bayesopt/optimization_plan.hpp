#pragma once

#include <functional>
#include <vector>

#include "core/base/index.hpp"
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

struct OptimizationTime {
  double seconds = 0;
  double busy = 0;  ///< share of the workers' time in trials
};

/// What the scheduler and its pacing make of it, by discrete events: points are proposed one after the other, so many ahead as
/// Pacing has them made, or batch by batch. Cost: budget · log(workers).
OptimizationTime optimization_time(const PlannedOptimization& plan);

/// What a trial sends between rank 0 and the first rank of its group, as the communicator counts it: letters of 24 bytes that
/// carry two texts, which are as long as the numbers in them.
/// @param ranks  of the group, where it evaluates together: then its first rank passes the request on
Traffic trial_traffic(const TrialRequest& request, const TrialAnswer& answer, int ranks = 1);
/// What a run on so many ranks sends beside its trials, on all of them together; without ranks of a model.
Traffic traffic_beside_trials(int ranks);

/// The number of workers that ask for points as fast as they are made: more of them wait.
double workers_served(double trial_seconds, double proposing_seconds);

/// Bytes of the Gaussian process of so many trials, on a rank that computes it: the factors of its covariance (one for
/// each draw of the hyperparameters, with room for more rows) and those of the search for them; what is sharded (see ShardedGpMaker) is shared.
/// @param draws  of the hyperparameters, as long as they are drawn (GpFitOptions::draws_below)
/// @param ranks  that compute the model together
double model_memory(Index trials, Index draws, int ranks);

}  // namespace tempera
