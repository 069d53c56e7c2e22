#include "core/bayesopt/initial_design.hpp"

#include <algorithm>
#include <limits>

#include "core/base/error.hpp"
#include "core/bayesopt/sobol.hpp"

namespace tempera {

namespace {

constexpr Index kMost = Index{1} << 16, kBlock = 64;

}  // namespace

std::optional<Point> InitialDesign::initial_values() const {
  const auto& parameters = space_.parameters();
  if (std::all_of(parameters.begin(), parameters.end(), [](const auto& one) { return one.initial.is_null(); }))
    return std::nullopt;
  Point point(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double middle = parameters[i].cells() > 0 ? static_cast<double>((parameters[i].cells() - 1) / 2) : 0.5;
    point[i] = parameters[i].initial.is_null() ? middle : space_.entry_of(static_cast<Index>(i), parameters[i].initial);
  }
  point = space_.repaired(std::move(point));
  return space_.feasible(point) ? std::optional(point) : std::nullopt;
}

std::optional<Point> InitialDesign::next(Index number, std::span<const Point> known) const {
  const auto fresh = [&](const Point& point) {
    return std::none_of(known.begin(), known.end(), [&](const Point& other) { return space_.same(point, other); });
  };
  if (number == 0)
    if (auto first = initial_values(); first && fresh(*first)) return first;
  const ScrambledSobol sobol(space_.size(), seed_, "initial-design");
  bool found = false;
  for (Index begin = number; begin < number + kMost; begin += kBlock) {
    const Eigen::MatrixXd units = sobol.points(begin, kBlock);
    for (Index k = 0; k < kBlock; ++k) {
      Point point = space_.from_unit({units.col(k).data(), static_cast<std::size_t>(units.rows())});
      if (!space_.feasible(point)) continue;
      found = true;
      if (fresh(point)) return point;
    }
  }
  if (!found)
    throw Error(Category::input, "", "no point among 65536 fulfils the constraints of the space",
                "check the constraints, or write the space so that more of it is allowed");
  return std::nullopt;
}

}  // namespace tempera
