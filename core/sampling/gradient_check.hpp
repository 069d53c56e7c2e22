#pragma once

#include <span>

#include "core/sampling/target.hpp"

namespace tempera {

/// Compares both gradients of a target with finite differences at a point: Ridders' extrapolation of central differences
/// (Ridders 1982), with the error that it estimates. A derivative counts as wrong if it is off by more than 1e-4 of its size and by
/// far more than differences can be wrong there, so that rounding of large densities and stiff ones raise no alarm. Near
/// an edge of the support steps are halved until both sides lie within.
///
/// Up to 200 coordinates are looked at one by one, more by sums along random signs, of which a wrong one is cut in halves
/// until its coordinate is found.
/// @param u  dimension() entries, a point of positive density
/// @throws Error{Category::input} naming the parameter ("beta[3]", entries count from 1), the part of the density and both values
/// @pre target.has_gradient()
/// Cost: about 20 evaluations a coordinate, 200 coordinates at most.
void check_gradient(Target& target, std::span<const double> u);

}  // namespace tempera
