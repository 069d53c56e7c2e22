#include "core/bayesopt/acquisition_optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/contract.hpp"
#include "core/minimization/bounded.hpp"

namespace tempera {

namespace {

constexpr double kApart = 0.1;      // starts: √(sum of squared distances of features / number of parameters)
constexpr double kProgress = 1e-9;  // of a move that counts, relative
constexpr Index kFewCells = 16;     // all of them are looked at
constexpr double kValueTolerance = 1e-7, kStepTolerance = 1e-6;  // of ascents
constexpr int kTurns = 6;                                        // of ascents and moves
constexpr Index kSlideSteps = 32;                                // of a batch
constexpr int kSlides = 4;                                       // batches of steps along a constraint
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
  const std::size_t first = at(block * options_.block);
  return values_at(candidates.subspan(first, std::min(at(options_.block), candidates.size() - first)));
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

/// A search along the active real parameters for the least negative acquisition.
struct AcquisitionSearch::Ascent {
  ScoredPoint* current;
  Point point;
  std::vector<Index> reals = {};
  std::vector<double> features = {};
  std::optional<BoxSearch> search = {};
  bool met_constraint = false;
};

std::vector<bool> AcquisitionSearch::ascend(std::span<ScoredPoint* const> current) const {
  std::vector<Ascent> ascents;
  for (ScoredPoint* const scored : current) {
    Ascent ascent{scored, scored->point};
    std::vector<double> start;
    for (Index i = 0; i < space_.size(); ++i)
      if (space_.parameters()[at(i)].cells() == 0 && !std::isnan(ascent.point[at(i)])) {
        ascent.reals.push_back(i);
        start.push_back(ascent.point[at(i)]);
      }
    ascent.features.resize(at(space_.features()));
    space_.encode(ascent.point, ascent.features);
    const std::vector<double> low(start.size(), 0.0), high(start.size(), 1.0);
    if (!start.empty())
      ascent.search.emplace(start, low, high, BoundedOptions{options_.evaluations, kValueTolerance, kStepTolerance});
    ascents.push_back(std::move(ascent));
  }
  for (;;) {
    std::vector<Ascent*> asking;
    for (Ascent& ascent : ascents)
      if (ascent.search && !ascent.search->ended()) asking.push_back(&ascent);
    if (asking.empty()) break;
    evaluate(asking);
  }
  std::vector<bool> met;
  for (Ascent& ascent : ascents) {
    met.push_back(ascent.met_constraint);
    if (!ascent.search || !(-ascent.search->best().value > ascent.current->value)) continue;
    for (std::size_t k = 0; k < ascent.reals.size(); ++k)
      ascent.point[at(ascent.reals[k])] = ascent.search->best().point[k];
    Point point = space_.repaired(std::move(ascent.point));
    if (space_.feasible(point)) *ascent.current = {std::move(point), -ascent.search->best().value};
  }
  return met;
}

/// What each of them wants to know, the feasible ones at once.
void AcquisitionSearch::evaluate(std::span<Ascent* const> ascents) const {
  std::vector<Ascent*> feasible;
  for (Ascent* const ascent : ascents) {
    const std::span<const double> x = ascent->search->wanted();
    for (std::size_t k = 0; k < ascent->reals.size(); ++k) {
      ascent->point[at(ascent->reals[k])] = x[k];
      ascent->features[at(space_.first_feature(ascent->reals[k]))] = x[k];
    }
    if (space_.constraints().empty() || space_.feasible(ascent->point)) {
      feasible.push_back(ascent);
      continue;
    }
    ascent->met_constraint = true;
    const std::vector<double> slopes(x.size(), 0.0);
    ascent->search->tell(std::numeric_limits<double>::quiet_NaN(), slopes);
  }
  if (feasible.empty()) return;
  Eigen::MatrixXd points(space_.features(), std::ssize(feasible)), gradients;
  for (std::size_t k = 0; k < feasible.size(); ++k)
    points.col(static_cast<Eigen::Index>(k)) =
        Eigen::Map<const Eigen::VectorXd>(feasible[k]->features.data(), points.rows());
  std::vector<double> values(feasible.size()), slopes;
  acquisition_.values_with_gradients(points, values, gradients);
  for (std::size_t k = 0; k < feasible.size(); ++k) {
    slopes.clear();
    for (const Index i : feasible[k]->reals)
      slopes.push_back(-gradients(space_.first_feature(i), static_cast<Eigen::Index>(k)));
    feasible[k]->search->tell(-values[k], slopes);
  }
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
    for (Index i = 0; i < kSlideSteps; ++i) points.push_back(perturbed_point(space_, current.point, scale, stream));
    const std::vector<double> values = values_at(points);
    const auto best = std::max_element(values.begin(), values.end());
    if (better(*best, current.value))
      current = {points[static_cast<std::size_t>(best - values.begin())], *best};
    else
      scale /= 5;
  }
}

std::vector<ScoredPoint> AcquisitionSearch::polish(std::vector<ScoredPoint> starts,
                                                   std::vector<RandomStream> streams) const {
  TEMPERA_EXPECTS(starts.size() == streams.size());
  std::vector<std::size_t> climbing(starts.size());
  std::iota(climbing.begin(), climbing.end(), std::size_t{0});
  for (int turn = 0; turn < kTurns && !climbing.empty(); ++turn) {
    std::vector<ScoredPoint*> current;
    std::vector<double> before;
    for (const std::size_t k : climbing) {
      current.push_back(&starts[k]);
      before.push_back(starts[k].value);
    }
    const std::vector<bool> constrained = ascend(current);
    std::vector<std::size_t> going_on;
    for (std::size_t j = 0; j < climbing.size(); ++j) {
      if (constrained[j]) slide(*current[j], streams[climbing[j]]);
      const bool moved = exchange(*current[j]);
      if ((moved || constrained[j]) && better(current[j]->value, before[j])) going_on.push_back(climbing[j]);
    }
    climbing = std::move(going_on);
  }
  return starts;
}

ScoredPoint AcquisitionSearch::polish(const ScoredPoint& start, RandomStream stream) const {
  return polish(std::vector{start}, std::vector{stream}).front();
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

}  // namespace tempera
