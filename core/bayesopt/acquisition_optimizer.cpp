#include "core/bayesopt/acquisition_optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/contract.hpp"
#include "core/minimization/bounded.hpp"

namespace tempera {

namespace {

constexpr double kApart = 0.1;       // starts: √(sum of squared distances of features / number of parameters)
constexpr double kProgress = 1e-9;   // of a move that counts, relative
constexpr Index kFewCells = 16;      // all of them are looked at
constexpr int kTurns = 6;            // of ascents and moves
constexpr int kSlides = 4;           // batches of steps along a constraint
constexpr double kFirstSlide = 0.1;  // their scale, a fifth of it after each that finds nothing better

constexpr std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

bool better(double value, double than) {
  return value > than + kProgress * (1 + std::abs(than)) || (std::isinf(than) && value > than);
}

double squared_distance(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

}  // namespace

AcquisitionSearch::AcquisitionSearch(const Space& space, const Acquisition& acquisition, SearchOptions options)
    : space_(space), acquisition_(acquisition), options_(options) {
  TEMPERA_EXPECTS(space.features() == acquisition.features());
}

std::vector<double> AcquisitionSearch::values_at(std::span<const Point> points) const {
  Eigen::MatrixXd features(space_.features(), std::ssize(points));
  for (Index i = 0; i < features.cols(); ++i)
    space_.encode(points[at(i)], {features.col(i).data(), at(features.rows())});
  std::vector<double> values(points.size());
  acquisition_.values(features, values);
  for (double& value : values)
    if (std::isnan(value)) value = -std::numeric_limits<double>::infinity();
  return values;
}

std::vector<double> AcquisitionSearch::score(std::span<const Point> candidates, Index block) const {
  TEMPERA_EXPECTS(block >= 0 && block < blocks(candidates));
  const std::size_t first = at(block * kBlock);
  return values_at(candidates.subspan(first, std::min(at(kBlock), candidates.size() - first)));
}

std::vector<double> AcquisitionSearch::score(std::span<const Point> candidates) const {
  std::vector<double> values;
  for (Index block = 0; block < blocks(candidates); ++block) {
    const std::vector<double> some = score(candidates, block);
    values.insert(values.end(), some.begin(), some.end());
  }
  return values;
}

std::vector<Index> AcquisitionSearch::starts(std::span<const Point> candidates, std::span<const double> values) const {
  TEMPERA_EXPECTS(candidates.size() == values.size());
  std::vector<Index> order(candidates.size()), chosen;
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return values[at(a)] > values[at(b)]; });
  const double apart = kApart * kApart * static_cast<double>(space_.size());
  std::vector<std::vector<double>> features_of_chosen;
  std::vector<double> features(at(space_.features()));
  for (const Index i : order) {
    if (std::ssize(chosen) == options_.starts) break;
    space_.encode(candidates[at(i)], features);
    const bool near = std::any_of(features_of_chosen.begin(), features_of_chosen.end(),
                                  [&](const auto& other) { return squared_distance(features, other) < apart; });
    if (near) continue;
    chosen.push_back(i);
    features_of_chosen.push_back(features);
  }
  return chosen;
}

/// The negative acquisition as a function of the active real parameters.
struct AcquisitionSearch::Ascent {
  const AcquisitionSearch& search;
  Point point;
  std::vector<Index> reals = {};
  std::vector<double> features = {}, slopes = {};
  bool met_constraint = false;

  double operator()(std::span<const double> x, std::span<double> gradient) {
    for (std::size_t k = 0; k < reals.size(); ++k) {
      point[at(reals[k])] = x[k];
      features[at(search.space_.first_feature(reals[k]))] = x[k];
    }
    if (!search.space_.constraints().empty() && !search.space_.feasible(point)) {
      met_constraint = true;
      return std::numeric_limits<double>::quiet_NaN();
    }
    const double value = search.acquisition_.value_with_gradient(features, slopes);
    for (std::size_t k = 0; k < reals.size(); ++k) gradient[k] = -slopes[at(search.space_.first_feature(reals[k]))];
    return -value;
  }
};

bool AcquisitionSearch::ascend(ScoredPoint& current) const {
  Ascent ascent{*this, current.point};
  std::vector<double> start;
  for (Index i = 0; i < space_.size(); ++i)
    if (space_.parameters()[at(i)].cells() == 0 && !std::isnan(current.point[at(i)])) {
      ascent.reals.push_back(i);
      start.push_back(current.point[at(i)]);
    }
  if (start.empty()) return false;
  ascent.features.resize(at(space_.features()));
  ascent.slopes.resize(at(space_.features()));
  space_.encode(current.point, ascent.features);
  const std::vector<double> low(start.size(), 0.0), high(start.size(), 1.0);
  const BoundedMinimum minimum = minimize_in_box(
      [&](std::span<const double> x, std::span<double> gradient) { return ascent(x, gradient); }, start, low, high,
      {.evaluations = options_.evaluations, .value_tolerance = 1e-7, .step_tolerance = 1e-6});
  if (!(-minimum.value > current.value)) return ascent.met_constraint;
  Point point = current.point;
  for (std::size_t k = 0; k < start.size(); ++k) point[at(ascent.reals[k])] = minimum.point[k];
  point = space_.repaired(std::move(point));
  if (space_.feasible(point)) current = {std::move(point), -minimum.value};
  return ascent.met_constraint;
}

std::vector<Point> AcquisitionSearch::neighbours(const Point& point) const {
  std::vector<Point> result;
  for (Index i = 0; i < space_.size(); ++i) {
    const Index cells = space_.parameters()[at(i)].cells();
    const double here = point[at(i)];
    if (cells < 2 || std::isnan(here)) continue;
    const auto offer = [&](double cell) {
      if (cell == here || cell < 0 || cell > static_cast<double>(cells - 1)) return;
      Point moved = point;
      moved[at(i)] = cell;
      moved = space_.repaired(std::move(moved));
      if (space_.feasible(moved)) result.push_back(std::move(moved));
    };
    if (cells <= kFewCells || space_.parameters()[at(i)].type == ParameterType::categorical)
      for (Index cell = 0; cell < cells; ++cell) offer(static_cast<double>(cell));
    else
      for (double step = 1; step < static_cast<double>(cells); step *= 4) offer(here - step), offer(here + step);
  }
  return result;
}

bool AcquisitionSearch::exchange(ScoredPoint& current) const {
  bool moved = false;
  for (Index step = 0; step < 2 * space_.size() + 8; ++step) {
    const std::vector<Point> points = neighbours(current.point);
    if (points.empty()) return moved;
    const std::vector<double> values = values_at(points);
    const auto best = std::max_element(values.begin(), values.end());  // the first of equal ones
    if (!better(*best, current.value)) return moved;
    current = {points[static_cast<std::size_t>(best - values.begin())], *best};
    moved = true;
  }
  return moved;
}

/// Ascents stop where a constraint begins; random steps, feasible ones alone, go on beside it.
void AcquisitionSearch::slide(ScoredPoint& current, RandomStream& stream) const {
  double scale = kFirstSlide;
  for (int batch = 0; batch < kSlides; ++batch) {
    std::vector<Point> points;
    for (Index i = 0; i < kBlock / 2; ++i) points.push_back(perturbed_point(space_, current.point, scale, stream));
    const std::vector<double> values = values_at(points);
    const auto best = std::max_element(values.begin(), values.end());
    if (better(*best, current.value))
      current = {points[static_cast<std::size_t>(best - values.begin())], *best};
    else
      scale /= 5;
  }
}

ScoredPoint AcquisitionSearch::polish(const ScoredPoint& start, RandomStream stream) const {
  ScoredPoint current = start;
  for (int turn = 0; turn < kTurns; ++turn) {
    const double before = current.value;
    const bool constrained = ascend(current);
    if (constrained) slide(current, stream);
    const bool moved = exchange(current);
    if (!(moved || constrained) || !better(current.value, before)) break;
  }
  return current;
}

std::optional<ScoredPoint> AcquisitionSearch::choose(std::span<const ScoredPoint> polished,
                                                     std::span<const Point> candidates, std::span<const double> values,
                                                     std::span<const Point> known) const {
  const ScoredPoint* best = nullptr;
  for (const ScoredPoint& scored : polished) {
    if (best && !(scored.value > best->value)) continue;
    const bool is_known =
        std::any_of(known.begin(), known.end(), [&](const Point& other) { return space_.same(scored.point, other); });
    if (!is_known) best = &scored;
  }
  if (best) return *best;
  if (candidates.empty()) return std::nullopt;
  const auto first = std::max_element(values.begin(), values.end());
  return ScoredPoint{candidates[static_cast<std::size_t>(first - values.begin())], *first};
}

std::optional<ScoredPoint> maximize_acquisition(const Space& space, const Acquisition& acquisition,
                                                std::span<const Point> tried, std::span<const Point> pending,
                                                std::uint64_t seed, Index number, const SearchOptions& options) {
  std::vector<Point> known(tried.begin(), tried.end());
  known.insert(known.end(), pending.begin(), pending.end());
  PointSet set;
  for (const Point& point : known) set.insert(point);
  const std::vector<Point> candidates = candidate_points(space, tried, set, seed, number, options.candidates);
  const AcquisitionSearch search(space, acquisition, options);
  const std::vector<double> values = search.score(candidates);
  std::vector<ScoredPoint> polished;
  for (const Index i : search.starts(candidates, values))
    polished.push_back(
        search.polish({candidates[at(i)], values[at(i)]}, RandomStream(seed, "bayesopt-polish", {number, i})));
  return search.choose(polished, candidates, values, known);
}

}  // namespace tempera
