#include "core/bayesopt/initial_design.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/random_stream.hpp"
#include "core/bayesopt/sobol.hpp"

namespace tempera {

namespace {

constexpr Index kMost = Index{1} << 16, kBlock = 64;

}  // namespace

InitialDesign::InitialDesign(const Space& space, Index size, std::uint64_t seed) : space_(space), seed_(seed) {
  for (Index i = 0; i < space.size(); ++i)
    strata_.push_back(RandomStream(seed, "latin-hypercube", {i}).permutation(size));
}

Point InitialDesign::hypercube_point(Index number) const {
  RandomStream stream(seed_, "latin-hypercube-point", {number});
  std::vector<double> unit;
  for (const std::vector<Index>& strata : strata_)
    unit.push_back((static_cast<double>(strata[static_cast<std::size_t>(number)]) + stream.uniform()) /
                   static_cast<double>(strata.size()));
  return space_.from_unit(unit);
}

std::optional<Point> InitialDesign::next(Index number, std::span<const Point> known) const {
  const auto fresh = [&](const Point& point) {
    return std::none_of(known.begin(), known.end(), [&](const Point& other) { return space_.same(point, other); });
  };
  if (number == 0)
    if (auto first = space_.initial_point(); first && space_.feasible(*first) && fresh(*first)) return first;
  if (number < std::ssize(strata_.front()))
    if (Point point = hypercube_point(number); space_.feasible(point) && fresh(point)) return point;
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
