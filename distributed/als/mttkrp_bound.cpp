#include "distributed/als/mttkrp_bound.hpp"

#include <algorithm>
#include <cmath>

namespace tempera {

double mttkrp_bound(std::span<const Index> shape, Index rank, int ranks) {
  double cells = 1, rows = 0;
  for (const Index size : shape) {
    cells *= static_cast<double>(size);
    rows += static_cast<double>(size);
  }
  const auto order = static_cast<double>(shape.size()), columns = static_cast<double>(rank);
  const double held = cells / ranks, products = held * columns;
  // The sum is convex in the cells that a rank knows; it falls until so many.
  const double known = std::max(held, std::pow((order - 1) * products, order / (2 * order - 1)));
  return known - held + order * products / std::pow(known, 1 - 1 / order) - rows * columns / ranks;
}

}  // namespace tempera
