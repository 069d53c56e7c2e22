#pragma once

#include <string>
#include <vector>

#include "drivers/commands/plan/decompose_estimate.hpp"

namespace tempera::drivers {

/// One row of a scaling table.
struct ScalingPoint {
  int ranks = 1;
  double seconds = 0;  ///< of a sweep
  double speedup = 1;  ///< over one rank; of weak scaling that of the larger tensor over one rank
  double efficiency = 1;
  double memory = 0;  ///< bytes on the fullest rank
  double share = 0;   ///< of communication
};

/// 1, 2, 4 … and `ranks` itself.
std::vector<int> ranks_of_table(int ranks);

/// The same tensor on more and more ranks. The last point is that of `last`.
std::vector<ScalingPoint> strong_scaling(DecomposeEstimates& estimates, const DecomposeEstimate& last);

/// As many cells a rank as `last` has, in a tensor whose modes all grow or shrink alike, with (ranks)^(1/order). What is
/// communicated is that of `last`, scaled as the messages and rows that a rank would exchange if nonzeros fell at random on the
/// best grid.
std::vector<ScalingPoint> weak_scaling(const DecomposeEstimates& estimates, const DecomposeEstimate& last);

/// Most ranks at which at least half of every rank is used.
int best_ranks(const std::vector<ScalingPoint>& strong);

/// "1 rank", "2 048 ranks".
std::string plural(std::int64_t count, const std::string& noun);

/// A bar of twenty characters, as many of them full as the efficiency says.
std::string efficiency_bar(double efficiency);

/// Aligned columns and a bar a row for the efficiency.
std::string scaling_text(const std::string& title, const std::vector<ScalingPoint>& points);

}  // namespace tempera::drivers
