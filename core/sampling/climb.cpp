#include "core/sampling/climb.hpp"

#include <algorithm>

#include "core/minimization/lbfgs.hpp"

namespace tempera {

void climb(PathDensity& density, SamplePoint& point, Index most) {
  LogDensity parts;
  const SmoothFunction depth = [&](std::span<const double> u, std::span<double> gradient) {
    const double height = density.at(u, parts, gradient);
    std::transform(gradient.begin(), gradient.end(), gradient.begin(), [](double slope) { return -slope; });
    return -height;
  };
  const auto enough = static_cast<double>(point.u.size());
  point.u = minimize_lbfgs(depth, point.u, {.evaluations = most - 1, .promised = enough}).x;
  density.at(point.u, point.density);
}

}  // namespace tempera
