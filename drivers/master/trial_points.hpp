#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "core/bayesopt/space.hpp"

namespace tempera::drivers {

/// A point in the middle of a space, whether or not it is allowed.
nlohmann::json middle_point(const Space& space);

/// Allowed points at which the options of a trial are tried before anything runs: the middle, all parameters at their lowest,
/// at their highest, and the middle with each choice of each parameter that has choices; a random one if none of these is
/// allowed. @throws SpaceError if no point is
std::vector<nlohmann::json> points_to_check(const Space& space);

}  // namespace tempera::drivers
