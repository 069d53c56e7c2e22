#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// A function of a point that fills its gradient, of as many entries.
using FunctionWithGradient = std::function<double(std::span<const double> point, std::span<double> gradient)>;

struct BoundedOptions {
  Index evaluations = 100;        ///< at most; ≥ 1
  double value_tolerance = 1e-9;  ///< relative change of the value
  double step_tolerance = 1e-8;   ///< change of every coordinate in units of its range
};

struct BoundedMinimum {
  std::vector<double> point;
  double value = 0;
  Index evaluations = 0;
};

/// A local minimum in a box from a start in it: NLopt's L-BFGS (on acquisitions of two to six coordinates the fewest
/// evaluations and the best ends, before SLSQP, MMA and truncated Newton). The best of all points that were evaluated is
/// returned, so never worse than the start, however the search ended; a value that is not finite counts as very bad, and a
/// start without a finite value is given back. Where low equals high a coordinate stays.
/// @throws what the function throws
/// @pre as many bounds as coordinates, finite, low ≤ start ≤ high
BoundedMinimum minimize_in_box(const FunctionWithGradient& function, std::span<const double> start,
                               std::span<const double> low, std::span<const double> high,
                               const BoundedOptions& options = {});

}  // namespace tempera
