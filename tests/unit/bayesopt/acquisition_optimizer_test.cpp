#include "core/bayesopt/acquisition_optimizer.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.hpp"
#include "core/bayesopt/sobol.hpp"
#include "tests/unit/bayesopt/fake_surrogates.hpp"
#include "tests/unit/bayesopt/spaces.hpp"

namespace tempera {
namespace {

using namespace test;

/// A model of constant standard deviation whose mean is least at a point: every acquisition is greatest there.
FormulaSurrogate bowl_at(const Space& space, const Point& target) {
  Eigen::VectorXd features(space.features());
  space.encode(target, {features.data(), static_cast<std::size_t>(features.size())});
  return FormulaSurrogate(space.features(), {{bowl(features, 4), constant(0.3), -0.1}});
}

ScoredPoint greatest(const Space& space, const Surrogate& model, const std::string& rule = "log-ei",
                     std::span<const Point> tried = {}, std::span<const Point> pending = {}) {
  const ModelAcquisition acquisition(AcquisitionRule::parse(rule), model);
  const std::optional<ScoredPoint> found = maximize_acquisition(space, acquisition, tried, pending, 1, 0);
  EXPECT_TRUE(found);
  return found.value_or(ScoredPoint{});
}

TEST(MaximizeAcquisition, FindsTheMaximumOfEveryRule) {
  for (const Index size : {1, 2, 6}) {
    const Space space = cube(size);
    Point target;
    for (Index i = 0; i < size; ++i) target.push_back(0.15 + 0.13 * static_cast<double>(i));
    for (const std::string rule : {"log-ei", "ei", "pi", "ucb:2"}) {
      const ScoredPoint found = greatest(space, bowl_at(space, target), rule);
      for (std::size_t i = 0; i < target.size(); ++i)
        EXPECT_NEAR(found.point[i], target[i], 2e-4) << rule << " of " << size;
    }
  }
}

TEST(MaximizeAcquisition, FindsMaximaAtBounds) {
  const Space space = cube(3);
  const FormulaSurrogate model(3, {{bowl(Eigen::Vector3d(-0.4, 0.3, 1.7)), constant(0.2), 0}});
  const ScoredPoint found = greatest(space, model);
  EXPECT_EQ(found.point[0], 0);
  EXPECT_NEAR(found.point[1], 0.3, 1e-4);
  EXPECT_EQ(found.point[2], 1);
}

TEST(MaximizeAcquisition, StaysWithinConstraintsAndGetsToTheirEdge) {
  // The nearest point to (0.6, 0.6, 0.5) with x0 + x1 ≤ 0.7 is (0.35, 0.35, 0.5); a ring's to its centre lies anywhere on it.
  const Space half = cube(3, {"x0 + x1 <= 0.7"});
  const FormulaSurrogate model(3, {{bowl(Eigen::Vector3d(0.6, 0.6, 0.5)), constant(0.5), 0}});
  const ScoredPoint found = greatest(half, model);
  EXPECT_TRUE(half.feasible(found.point));
  EXPECT_NEAR(found.point[0], 0.35, 0.02);
  EXPECT_NEAR(found.point[1], 0.35, 0.02);
  EXPECT_NEAR(found.point[0] + found.point[1], 0.7, 2e-3);
  EXPECT_NEAR(found.point[2], 0.5, 0.02);

  const Space ring = cube(2, {"(x0 - 0.5)^2 + (x1 - 0.5)^2 >= 0.09", "(x0 - 0.5)^2 + (x1 - 0.5)^2 <= 0.1"});
  const FormulaSurrogate centre(2, {{bowl(Eigen::Vector2d(0.5, 0.5)), constant(0.5), 0}});
  const ScoredPoint on_ring = greatest(ring, centre);
  EXPECT_TRUE(ring.feasible(on_ring.point));
  EXPECT_NEAR(std::hypot(on_ring.point[0] - 0.5, on_ring.point[1] - 0.5), 0.3, 1e-3);
}

TEST(MaximizeAcquisition, FindsCellsAndPositionsOfMixedSpaces) {
  const Space space = mixed_space();
  // As units: kinds 0 … 3 with and without a rate, steps only if warm; widths from 1 to 1000.
  for (const std::vector<double>& unit : std::vector<std::vector<double>>{{0.31, 0.62, 0.4, 0.97, 0.3, 0.8, 0.1, 0.5},
                                                                          {0.9, 0.0, 0.99, 0.5, 0.6, 0.2, 0.9, 0.99},
                                                                          {0.5, 0.5, 0.0, 0.05, 0.9, 0.4, 0.9, 0.0}}) {
    const Point target = space.from_unit(unit);
    const ScoredPoint found = greatest(space, bowl_at(space, target));
    for (std::size_t i = 0; i < target.size(); ++i) {
      EXPECT_EQ(std::isnan(found.point[i]), std::isnan(target[i])) << i;
      if (std::isnan(target[i])) continue;
      EXPECT_NEAR(found.point[i], target[i], space.parameters()[i].cells() ? 0 : 2e-4) << i;
    }
  }
}

TEST(MaximizeAcquisition, GoesThroughSpacesOfManyCells) {
  // 10^8 points, far too many to look at; constrained.
  std::vector<Parameter> parameters;
  for (int i = 0; i < 8; ++i) parameters.push_back(integer("n" + std::to_string(i), 0, 9));
  const Space space(parameters, {"n0 + n1 <= 9"});
  const Point target{3, 6, 0, 9, 4, 4, 7, 1};
  EXPECT_EQ(greatest(space, bowl_at(space, target)).point, target);
}

TEST(MaximizeAcquisition, NeverProposesWhatIsTriedOrPending) {
  const Space space({integer("a", 0, 4), integer("b", 0, 4)});
  const FormulaSurrogate model = bowl_at(space, {2, 2});
  const ModelAcquisition acquisition(AcquisitionRule::parse("log-ei"), model);
  std::vector<Point> tried, pending;
  double last = std::numeric_limits<double>::infinity();
  for (int k = 0; k < 25; ++k) {
    const std::optional<ScoredPoint> found = maximize_acquisition(space, acquisition, tried, pending, 1, k);
    ASSERT_TRUE(found) << k;
    for (const auto* known : {&tried, &pending})
      for (const Point& point : *known) EXPECT_FALSE(space.same(point, found->point));
    EXPECT_LE(found->value, last + 1e-12) << "the next best";
    last = found->value;
    (k % 3 == 0 ? pending : tried).push_back(found->point);
  }
  EXPECT_FALSE(maximize_acquisition(space, acquisition, tried, pending, 1, 25)) << "all 25 points are known";

  // A continuum: the maximum itself is known.
  const Space line = cube(1);
  const std::vector<Point> maximum{greatest(line, bowl_at(line, {0.5})).point};
  const ScoredPoint other = greatest(line, bowl_at(line, {0.5}), "log-ei", maximum);
  EXPECT_FALSE(line.same(other.point, maximum[0]));
  EXPECT_NEAR(other.point[0], 0.5, 0.05);
}

TEST(AcquisitionSearch, BlocksAreScoredAlikeWhoeverDoesIt) {
  const Space space = cube(6);
  const Eigen::MatrixXd data = ScrambledSobol(6, 2, "test").points(0, 60);
  const PlainGp model(data, data.colwise().sum().transpose(), 0.7);
  const ModelAcquisition acquisition(AcquisitionRule{}, model);
  const AcquisitionSearch search(space, acquisition);
  const std::vector<Point> candidates = candidate_points(space, {}, {}, 1, 0, {.spread = 200});
  ASSERT_EQ(search.blocks(candidates), 4);
  const std::vector<double> whole = search.score(candidates);
  for (const Index block : {3, 1, 0, 2}) {
    const std::vector<double> values = search.score(candidates, block);
    EXPECT_EQ(std::ssize(values), block == 3 ? 8 : 64);
    EXPECT_TRUE(std::equal(values.begin(), values.end(), whole.begin() + 64 * block));
  }
}

TEST(AcquisitionSearch, StartsAreTheBestThatLieApartAndOfEqualOnesTheFirst) {
  const Space space = cube(1);
  const FormulaSurrogate model = bowl_at(space, {0.5});
  const ModelAcquisition acquisition(AcquisitionRule{}, model);
  const AcquisitionSearch search(space, acquisition, {.candidates = {}, .starts = 3});
  const std::vector<Point> candidates{{0.9}, {0.3}, {0.31}, {0.35}, {0.1}, {0.7}, {0.5}};
  EXPECT_EQ(search.starts(candidates, std::vector<double>{0, 5, 5, 4, 3, 3, 1}), (std::vector<Index>{1, 4, 5}));
  const std::vector<ScoredPoint> polished{{{0.2}, 1}, {{0.3}, 2}, {{0.4}, 2}};
  const std::vector<double> values(candidates.size(), 0.0);
  EXPECT_EQ(search.choose(polished, candidates, values, {})->point, Point{0.3});
  EXPECT_EQ(search.choose(polished, candidates, values, std::vector<Point>{{0.3}})->point, Point{0.4});
  EXPECT_EQ(search.choose(polished, candidates, values, std::vector<Point>{{0.3}, {0.4 + 5e-10}, {0.2}})->point,
            Point{0.9});
  EXPECT_FALSE(search.choose({}, {}, {}, {}));
}

TEST(AcquisitionSearch, PolishingNeverGetsWorseAndEndsFeasible) {
  const Space space({real("x"), real("y"), integer("n", 1, 9), categorical("kind", 3)}, {"x * n <= 3", "x + y <= 1.2"});
  const Eigen::MatrixXd units = ScrambledSobol(space.features(), 4, "test").points(0, 40);
  Eigen::VectorXd targets(40);
  for (Index i = 0; i < 40; ++i) targets[i] = std::sin(9 * units(0, i)) + units(1, i) * std::cos(5 * units(2, i));
  const PlainGp model(units, targets, 0.5);
  const ModelAcquisition acquisition(AcquisitionRule{}, model);
  const AcquisitionSearch search(space, acquisition);
  const std::vector<Point> candidates = candidate_points(space, {}, {}, 9, 0, {.spread = 40});
  const std::vector<double> values = search.score(candidates);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const ScoredPoint polished = search.polish({candidates[i], values[i]}, RandomStream(1, "test"));
    EXPECT_GE(polished.value, values[i]);
    EXPECT_TRUE(space.feasible(polished.point));
    EXPECT_NEAR(polished.value, search.score(std::vector<Point>{polished.point})[0],
                1e-7 * (1 + std::abs(polished.value)));
  }
}

TEST(AcquisitionSearch, LooksAtAThousandPointsInSixDimensions) {
  // What a proposal costs is the model's time for these; no clock here.
  const Space space = cube(6);
  const FormulaSurrogate model = bowl_at(space, Point(6, 0.4));
  greatest(space, model);
  EXPECT_LE(model.predictions(), 1024 + 128);
  EXPECT_LE(model.gradients(), 8 * 40);
}

}  // namespace
}  // namespace tempera
