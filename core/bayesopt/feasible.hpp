#pragma once

#include "core/base/random_stream.hpp"
#include "core/bayesopt/space.hpp"

namespace tempera {

/// A point of the space at random, uniform among those that its known constraints allow (see Space::from_unit).
struct FeasibleDraw {
  Point point;
  Index draws = 1;  ///< that it took
};

constexpr Index kMostFeasibleDraws = 1'000'000;

/// By rejection. @throws Error{input} naming a constraint that most draws fail, if kMostFeasibleDraws hold no feasible point
FeasibleDraw draw_feasible(const Space& space, RandomStream& stream);
Point sample_feasible(const Space& space, RandomStream& stream);

/// The share of uniform draws that are feasible, of `draws` ≥ 1 of them.
double acceptance_rate(const Space& space, RandomStream& stream, Index draws = 10'000);

}  // namespace tempera
