#pragma once

#include <map>
#include <vector>

#include "core/sampling/chain_statistics.hpp"
#include "core/sampling/explorer.hpp"
#include "distributed/tempering/ladder_plan.hpp"

namespace tempera {

/// A state that walks the ladder, and what it has seen in the round at hand.
struct Replica {
  Index number = 0;  ///< over all ladders
  Index chain = 0;
  int leg = 0;  ///< on whose path the density of the point stands
  SamplePoint point;
  StepRecord step;  ///< the last one
  /// Which end of the ladder it was at last: none, the first chain, the last one.
  enum class End { none, first, last } end = End::none;
  bool fresh = false;  ///< was at a reference since it was at the target

  Index round_trips = 0;
  Index restarts = 0;
  Index evaluations = 0;            ///< of the density
  Index gradients = 0;              ///< of those, with gradient
  Index invalid = 0;                ///< of those, NaN
  std::vector<double> likelihoods;  ///< at each scan, in the chain of the same place
  std::vector<Index> chains;
  std::map<Index, ChainStatistics> statistics;  ///< by chain

  void begin_round();
  /// Notes where it stands after the exploration of a scan.
  void note(const LadderPlan& plan, bool covariance);
};

}  // namespace tempera
