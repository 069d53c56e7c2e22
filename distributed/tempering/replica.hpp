#pragma once

#include <map>
#include <span>
#include <vector>

#include "core/sampling/explorer.hpp"

namespace tempera {

/// Count, means and sums of squared deviations of the coordinates: Welford's update, Chan's merge.
struct Moments {
  Index count = 0;
  std::vector<double> mean, squares;

  void add(std::span<const double> values);
};

/// A state that walks the ladder, and what it has seen in the round at hand.
struct Replica {
  Index number = 0;  ///< over all ladders
  Index chain = 0;
  SamplePoint point;
  /// Which end of the ladder it was at last: none, the reference, the target.
  enum class End { none, reference, target } last = End::none;

  Index round_trips = 0;
  Index restarts = 0;
  std::vector<double> likelihoods;  ///< at each scan, in the chain of the same place
  std::vector<Index> chains;
  std::map<Index, Moments> moments;  ///< by chain

  void begin_round();
  /// Notes where it stands after the exploration of a scan.
  void note(Index chain_count);
};

}  // namespace tempera
