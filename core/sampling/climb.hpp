#pragma once

#include "core/sampling/explorer.hpp"

namespace tempera {

/// Goes uphill in log π_β by the limited-memory BFGS method (Nocedal & Wright 2006, algorithm 7.4), until the next step
/// promises less than half a unit a coordinate: so much lower than the mode a draw lies. Where the density is lower by
/// thousands, trajectories need steps that are useless elsewhere, and slices hold nearly all of the space.
/// @param point  its density is current, before and after, and never lower after
/// @param most   evaluations with gradient
/// @pre density.target().has_gradient()
void climb(PathDensity& density, SamplePoint& point, Index most = 200);

}  // namespace tempera
