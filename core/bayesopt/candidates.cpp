#include "core/bayesopt/candidates.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "core/base/error.hpp"
#include "core/bayesopt/sobol.hpp"

namespace tempera {

namespace {

constexpr Index kMostDrawn = Index{1} << 20;
constexpr Index kDrawnAtOnce = 512;
constexpr std::size_t kCentres = 4;
constexpr std::array kScales{0.2, 0.05, 0.0125, 0.003};
constexpr int kTries = 8;
constexpr double kRealMoves = 20, kCellMoves = 2;

constexpr std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

/// Points of a space without real parameters; 0: more than `most`, or a continuum.
Index count_points(const Space& space, Index most) {
  Index count = 1;
  for (const Parameter& parameter : space.parameters()) {
    const Index cells = parameter.cells();
    if (cells == 0 || cells > most / count) return 0;
    count *= cells;
  }
  return count;
}

class Collector {
 public:
  Collector(const Space& space, const PointSet& known) : space_(space), known_(known) {}

  void offer(Point point) {
    if (space_.feasible(point) && !known_.contains(point) && seen_.insert(point)) points.push_back(std::move(point));
  }
  std::vector<Point> points;

 private:
  const Space& space_;
  const PointSet& known_;
  PointSet seen_;
};

void offer_all(const Space& space, Index count, Collector& collector) {
  Point point(at(space.size()));
  for (Index number = 0; number < count; ++number) {
    Index rest = number;
    for (Index i = space.size() - 1; i >= 0; --i) {
      const Index cells = space.parameters()[at(i)].cells();
      point[at(i)] = static_cast<double>(rest % cells);
      rest /= cells;
    }
    collector.offer(space.repaired(point));
  }
}

/// @return whether as many as were wanted, or a useful share after many draws, were found
void offer_spread(const Space& space, Index wanted, std::uint64_t seed, Index number, Collector& collector) {
  const ScrambledSobol sobol(space.size(), seed, "bayesopt-candidates", number);
  for (Index first = 0; first < kMostDrawn; first += kDrawnAtOnce) {
    const Eigen::MatrixXd units = sobol.points(first, kDrawnAtOnce);
    for (Index i = 0; i < units.cols() && std::ssize(collector.points) < wanted; ++i)
      collector.offer(space.from_unit({units.col(i).data(), at(space.size())}));
    const Index enough = first < 32 * wanted ? wanted : 1;  // where little is feasible or left, few will do
    if (std::ssize(collector.points) >= enough) return;
  }
}

double moved_cell(double cell, Index cells, bool ordered, double scale, RandomStream& stream) {
  if (!ordered || cells <= 3) return static_cast<double>(stream.uniform_index(cells));
  const double step = std::round(scale * static_cast<double>(cells - 1) * stream.normal());
  const double one = stream.uniform() < 0.5 ? -1 : 1;
  return cell + (step == 0 ? one : step);
}

}  // namespace

bool PointSet::Less::operator()(const Point& a, const Point& b) const {
  const auto order = [](double x, double y) -> std::weak_ordering {
    if (std::isnan(x) || std::isnan(y)) return std::isnan(y) <=> std::isnan(x);  // absent before all numbers
    return x < y ? std::weak_ordering::less : x > y ? std::weak_ordering::greater : std::weak_ordering::equivalent;
  };
  return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end(), order) < 0;
}

Point perturbed_point(const Space& space, const Point& centre, double scale, RandomStream& stream) {
  double reals = 0, others = 0;
  for (Index i = 0; i < space.size(); ++i)
    if (!std::isnan(centre[at(i)])) (space.parameters()[at(i)].cells() == 0 ? reals : others) += 1;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    Point point = centre;
    for (Index i = 0; i < space.size(); ++i) {
      const Parameter& parameter = space.parameters()[at(i)];
      double& entry = point[at(i)];
      if (std::isnan(entry)) continue;
      const Index cells = parameter.cells();
      if (stream.uniform() * (cells == 0 ? reals : others) >= (cells == 0 ? kRealMoves : kCellMoves)) continue;
      const bool ordered = parameter.type == ParameterType::integer || parameter.type == ParameterType::ordinal;
      entry = cells == 0 ? entry + scale * stream.normal() : moved_cell(entry, cells, ordered, scale, stream);
    }
    point = space.repaired(std::move(point));
    if (space.feasible(point)) return point;
  }
  return centre;
}

std::vector<Point> candidate_points(const Space& space, std::span<const Point> centres, const PointSet& known,
                                    std::uint64_t seed, Index number, const CandidateOptions& options) {
  Collector collector(space, known);
  if (const Index count = count_points(space, options.whole); count > 0) {
    offer_all(space, count, collector);
    return std::move(collector.points);
  }
  const Index by_size = space.size() <= 4 ? 512 : space.size() <= 16 ? 1024 : 2048;
  offer_spread(space, options.spread > 0 ? options.spread : by_size, seed, number, collector);
  if (collector.points.empty() && centres.empty())
    throw Error(Category::input, "", "no feasible point among 2^20 of the space", "check the constraints of the space");
  const std::size_t used = std::min(centres.size(), kCentres);
  for (Index i = 0; used > 0 && i < options.around; ++i) {
    const auto centre = std::min(at(std::countr_one(static_cast<std::uint64_t>(i))), used - 1);  // ½, ¼, …
    RandomStream stream(seed, "bayesopt-perturbation", {number, i});
    const double scale = kScales[at(stream.uniform_index(std::ssize(kScales)))];
    collector.offer(perturbed_point(space, centres[centre], scale, stream));
  }
  return std::move(collector.points);
}

}  // namespace tempera
