#pragma once

#include <cstdint>
#include <optional>

#include "core/bayesopt/space.hpp"

namespace tempera {

/// Scrambled Sobol points of a space that may be tried, in their order; before them the point of the parameters' initial
/// values, if there are any and it may be tried.
class InitialDesign {
 public:
  /// @param space  outlives this
  InitialDesign(const Space& space, std::uint64_t seed) : space_(space), seed_(seed) {}

  /// The first point from `number` on in the sequence that is not known.
  /// @return absent if there is none among the next 2^16 @throws Error{input} if none of them is feasible
  std::optional<Point> next(Index number, std::span<const Point> known) const;

 private:
  std::optional<Point> initial_values() const;

  const Space& space_;
  std::uint64_t seed_;
};

}  // namespace tempera
