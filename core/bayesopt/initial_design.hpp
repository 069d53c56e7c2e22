#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/bayesopt/space.hpp"

namespace tempera {

/// The points to begin with: those of a Latin hypercube (McKay, Beckman & Conover 1979), of which each has a stratum of
/// every coordinate for itself; scrambled Sobol points of the space where such a point may not be tried or is known, and
/// after them. Before all of them the point of the parameters' initial values, if there are any and it may be tried.
///
/// In six dimensions the first dozen Sobol points leave more holes than a Latin hypercube does: 7 of 11 runs on Hartmann-6
/// ended in its second basin after them, 6 of 15 after a hypercube (other seeds).
class InitialDesign {
 public:
  /// @param space  outlives this
  /// @param size   of the hypercube, ≥ 1
  InitialDesign(const Space& space, Index size, std::uint64_t seed);

  /// @return absent if there is no point that is not known among 2^16 @throws Error{input} if none of them is feasible
  std::optional<Point> next(Index number, std::span<const Point> known) const;

 private:
  Point hypercube_point(Index number) const;

  const Space& space_;
  std::uint64_t seed_;
  std::vector<std::vector<Index>> strata_;  ///< of each parameter, in the order of the points
};

}  // namespace tempera
