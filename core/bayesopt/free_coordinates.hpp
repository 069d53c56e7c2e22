#pragma once

#include <Eigen/Core>
#include <utility>

#include "core/bayesopt/space.hpp"

namespace tempera {

/// Coordinates without bounds, one a parameter, for methods that move freely: the unit cube is the space, as Space::from_unit
/// has it, and beyond its walls the space goes on as in a mirror. Near a wall a real coordinate is bent, so that values
/// stay smooth functions of it: u for 1/20 ≤ u ≤ 19/20, quadratic between that and −1/20, the wall itself, about which it is
/// mirrored; and the same above. Discrete parameters have their first and last cell out there.
class FreeCoordinates {
 public:
  /// @param space  outlives this
  /// @throws Error{usage} naming a categorical parameter of more than two choices: they have no order
  explicit FreeCoordinates(const Space& space);

  /// The point there; the known constraints may not allow it.
  Point point(const Eigen::VectorXd& coordinates) const;
  /// The place of a point within the cube; ½ for what is not active.
  Eigen::VectorXd coordinates(const Point& point) const;
  bool is_discrete(Index parameter) const { return at(parameter).type != ParameterType::real; }
  /// Edges of the cell of a discrete parameter; infinite where there is none.
  std::pair<double, double> cell(Index parameter, double coordinate) const;

 private:
  const Parameter& at(Index parameter) const { return space_.parameters()[static_cast<std::size_t>(parameter)]; }
  /// Between the cells k − 1 and k.
  double edge(Index parameter, double k) const;

  const Space& space_;
};

}  // namespace tempera
