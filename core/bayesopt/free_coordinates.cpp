#include "core/bayesopt/free_coordinates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tempera {

namespace {

constexpr double kBend = 0.05;                   // on either side of a wall
constexpr double kPeriod = 2 * (1 + 2 * kBend);  // of the mirrors at −kBend and 1 + kBend

/// Position in [0, 1] of a real coordinate.
double bent(double coordinate) {
  double x = coordinate - kPeriod * std::floor((coordinate + kBend) / kPeriod);  // −kBend ≤ x < −kBend + kPeriod
  if (x > 1 + kBend) x = 2 * (1 + kBend) - x;
  if (x < kBend) return std::pow(x + kBend, 2) / (4 * kBend);
  if (x > 1 - kBend) return 1 - std::pow(1 + kBend - x, 2) / (4 * kBend);
  return x;
}

double unbent(double position) {
  if (position < kBend) return std::sqrt(4 * kBend * position) - kBend;
  if (position > 1 - kBend) return 1 + kBend - std::sqrt(4 * kBend * (1 - position));
  return position;
}

}  // namespace

FreeCoordinates::FreeCoordinates(const Space& space) : space_(space) {
  for (const Parameter& parameter : space.parameters())
    if (parameter.type == ParameterType::categorical && parameter.choices.size() > 2)
      throw Error(Category::usage, "--scheduler",
                  fmt::format("cma-es needs values that have an order, and the {} choices of '{}' have none",
                              parameter.choices.size(), parameter.name),
                  "type = \"ordinal\" if their order means something, or another scheduler");
}

Point FreeCoordinates::point(const Eigen::VectorXd& coordinates) const {
  std::vector<double> unit(static_cast<std::size_t>(space_.size()));
  for (Index i = 0; i < space_.size(); ++i)
    unit[static_cast<std::size_t>(i)] = is_discrete(i) ? coordinates(i) : bent(coordinates(i));
  return space_.from_unit(unit);
}

double FreeCoordinates::edge(Index parameter, double k) const {
  const Parameter& p = at(parameter);
  if (p.type != ParameterType::integer || !p.log_scale) return k / static_cast<double>(p.cells());
  const double low = static_cast<double>(p.lowest()) - 0.5, high = static_cast<double>(p.highest()) + 0.5;
  return std::log((low + k) / low) / std::log(high / low);
}

Eigen::VectorXd FreeCoordinates::coordinates(const Point& point) const {
  Eigen::VectorXd coordinates(space_.size());
  for (Index i = 0; i < space_.size(); ++i) {
    const double entry = point[static_cast<std::size_t>(i)];
    coordinates(i) = std::isnan(entry) ? 0.5
                     : is_discrete(i)  ? 0.5 * (edge(i, entry) + edge(i, entry + 1))
                                       : unbent(entry);
  }
  return coordinates;
}

std::pair<double, double> FreeCoordinates::cell(Index parameter, double coordinate) const {
  constexpr double kNone = std::numeric_limits<double>::infinity();
  const Parameter& p = at(parameter);
  const auto last = static_cast<double>(p.cells() - 1);
  const double u = std::clamp(coordinate, 0.0, 1.0);
  double k;
  if (p.type == ParameterType::integer && p.log_scale) {
    const double low = static_cast<double>(p.lowest()) - 0.5, high = static_cast<double>(p.highest()) + 0.5;
    k = std::floor(low * std::exp(u * std::log(high / low)) - low);
  } else {
    k = std::floor(u * (last + 1));
  }
  k = std::clamp(k, 0.0, last);
  return {k > 0 ? edge(parameter, k) : -kNone, k < last ? edge(parameter, k + 1) : kNone};
}

}  // namespace tempera
