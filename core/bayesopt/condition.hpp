#pragma once

#include <string_view>

#include "core/bayesopt/space.hpp"

namespace tempera {

/// A condition as people write it: `solver == 'gmres'`, `level in [1, 2]`, `flag`, `!flag`, and several of them on the
/// same parent joined by ||. Names and literals are those of Expression.
/// @throws Error{input} naming the position and what is wrong there; whether the parent has such values is not checked
Condition parse_condition(std::string_view text);

}  // namespace tempera
