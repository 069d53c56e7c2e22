#include "drivers/master/trial_points.hpp"

#include "core/base/random_stream.hpp"
#include "core/bayesopt/feasible.hpp"

namespace tempera::drivers {

namespace {

constexpr double kAlmostOne = 1 - 1e-12;

Point all_at(const Space& space, double position) {
  return space.from_unit(std::vector<double>(static_cast<std::size_t>(space.size()), position));
}

}  // namespace

nlohmann::json middle_point(const Space& space) {
  return space.to_json(all_at(space, 0.5));
}

std::vector<nlohmann::json> points_to_check(const Space& space) {
  std::vector<Point> points = {all_at(space, 0.5), all_at(space, 0), all_at(space, kAlmostOne)};
  for (Index i = 0; i < space.size(); ++i) {
    const Parameter& parameter = space.parameters()[static_cast<std::size_t>(i)];
    if (parameter.type == ParameterType::real || parameter.type == ParameterType::integer) continue;
    for (Index cell = 0; cell < parameter.cells(); ++cell) {
      std::vector<double> unit(static_cast<std::size_t>(space.size()), 0.5);
      unit[static_cast<std::size_t>(i)] = (static_cast<double>(cell) + 0.5) / static_cast<double>(parameter.cells());
      points.push_back(space.from_unit(unit));
    }
  }
  std::vector<nlohmann::json> allowed;
  for (const Point& point : points)
    if (space.feasible(point)) allowed.emplace_back(space.to_json(point));
  if (allowed.empty()) {
    RandomStream stream(0, "study-trial-check");
    allowed.emplace_back(space.to_json(sample_feasible(space, stream)));
  }
  return allowed;
}

}  // namespace tempera::drivers
