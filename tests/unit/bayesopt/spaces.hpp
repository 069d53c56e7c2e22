#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/bayesopt/space.hpp"

namespace tempera::test {

inline Parameter real(std::string name) {
  Parameter parameter;
  parameter.name = std::move(name);
  return parameter;
}

inline Parameter integer(std::string name, double low, double high, bool log_scale = false) {
  Parameter parameter = real(std::move(name));
  parameter.type = ParameterType::integer;
  parameter.low = low;
  parameter.high = high;
  parameter.log_scale = log_scale;
  return parameter;
}

inline Parameter categorical(std::string name, Index choices) {
  Parameter parameter = real(std::move(name));
  parameter.type = ParameterType::categorical;
  for (Index c = 0; c < choices; ++c) parameter.choices.push_back("choice " + std::to_string(c));
  return parameter;
}

inline Parameter boolean(std::string name) {
  Parameter parameter = real(std::move(name));
  parameter.type = ParameterType::boolean;
  return parameter;
}

inline Parameter when(Parameter parameter, std::string parent, std::vector<nlohmann::json> values) {
  parameter.when = {std::move(parent), std::move(values)};
  return parameter;
}

/// x0, x1, … in [0, 1].
inline Space cube(Index size, std::vector<std::string> constraints = {}) {
  std::vector<Parameter> parameters;
  for (Index i = 0; i < size; ++i) parameters.push_back(real("x" + std::to_string(i)));
  return Space(std::move(parameters), std::move(constraints));
}

/// Every type of parameter, two of them conditional: 2 · 3 + 6 active parameters at most.
inline Space mixed_space() {
  return Space({real("x"), real("y"), integer("layers", 1, 12), integer("width", 1, 1000, true), categorical("kind", 4),
                when(real("rate"), "kind", {"choice 1", "choice 3"}), boolean("warm"),
                when(integer("steps", 0, 5), "warm", {true})});
}

}  // namespace tempera::test
