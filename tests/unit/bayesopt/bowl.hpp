#pragma once

#include <cmath>

#include "core/bayesopt/gp_proposer.hpp"

namespace tempera::test {

inline Space square() {
  return Space({{.name = "a"}, {.name = "b"}});
}

/// On the square, least at (0.3, 0.8).
inline double bowl(const Point& x) {
  return std::pow(x[0] - 0.3, 2) + 2 * std::pow(x[1] - 0.8, 2);
}

/// Of a quick model.
inline GpProposerOptions quick(std::uint64_t seed = 1) {
  GpProposerOptions options;
  options.seed = seed;
  options.model.hyperparameters.method = HyperMethod::map;
  return options;
}

}  // namespace tempera::test
