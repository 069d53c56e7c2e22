#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tempera::drivers {

/// One line of the figure.
struct ScalingCurve {
  std::string name;
  std::vector<std::pair<int, double>> points;  ///< MPI ranks and the speed-up over one
};

/// Speed-up over ranks, both logarithmic, with the ideal as a dashed line: an SVG file that stands alone.
/// @pre a curve, each with a point, ranks in increasing order
std::string scaling_figure(const std::string& title, std::span<const ScalingCurve> curves);

}  // namespace tempera::drivers
