#include "core/bayesopt/candidates.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.hpp"
#include "tests/unit/bayesopt/spaces.hpp"

namespace tempera {
namespace {

using namespace test;

constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

/// Bits, so that absent entries are equal.
bool identical(const std::vector<Point>& a, const std::vector<Point>& b) {
  const auto same = [](double x, double y) { return std::isnan(x) ? std::isnan(y) : x == y; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](const Point& x, const Point& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), same);
  });
}

TEST(PointSet, TellsAbsentEntriesFromAllOthers) {
  PointSet set;
  EXPECT_TRUE(set.insert({0, kAbsent}));
  EXPECT_FALSE(set.insert({0, -kAbsent}));
  EXPECT_TRUE(set.insert({0, 0}));
  EXPECT_TRUE(set.insert({0, -1}));
  EXPECT_TRUE(set.insert({kAbsent, 0}));
  EXPECT_EQ(set.size(), 4);
  EXPECT_TRUE(set.contains({kAbsent, 0}));
  EXPECT_FALSE(set.contains({kAbsent, kAbsent}));
}

TEST(CandidatePoints, OfASmallSpaceAreAllThatAreLeft) {
  // kind: 3 choices, of which one has a size of 1 … 5; a switch: (2 + 5) · 2 points, of which kind 1 may not be on.
  const Space space({categorical("kind", 3), when(integer("size", 1, 5), "kind", {"choice 2"}), boolean("on")},
                    {"!(kind == 'choice 1' && on)"});
  PointSet known;
  EXPECT_EQ(candidate_points(space, {}, known, 1, 0).size(), 13u);
  known.insert({2, 3, 1});
  known.insert({0, kAbsent, 0});
  const std::vector<Point> left = candidate_points(space, {}, known, 1, 0);
  EXPECT_EQ(left.size(), 11u);
  PointSet seen;
  for (const Point& point : left) {
    EXPECT_TRUE(space.feasible(point));
    EXPECT_FALSE(known.contains(point));
    EXPECT_TRUE(seen.insert(point));
  }
  for (const Point& point : left) known.insert(point);
  EXPECT_TRUE(candidate_points(space, {}, known, 1, 0).empty()) << "all are known";
}

TEST(CandidatePoints, AreFeasibleOnceEachAndTheSameForTheSameKeys) {
  const Space space = mixed_space();
  const std::vector<Point> centres{space.from_unit(std::vector<double>(8, 0.3)),
                                   space.from_unit(std::vector<double>(8, 0.8))};
  PointSet known;
  for (const Point& point : centres) known.insert(point);
  const std::vector<Point> points = candidate_points(space, centres, known, 7, 3);
  EXPECT_GE(points.size(), 1024u + 100);
  EXPECT_LE(points.size(), 1024u + 128);
  PointSet seen;
  for (const Point& point : points) {
    EXPECT_TRUE(seen.insert(point));
    EXPECT_FALSE(known.contains(point));
    EXPECT_TRUE(identical({space.repaired(point)}, {point}))
        << "positions and cells that exist, activity by the parents";
  }
  EXPECT_TRUE(identical(candidate_points(space, centres, known, 7, 3), points));
  EXPECT_FALSE(identical(candidate_points(space, centres, known, 7, 4), points));
  EXPECT_FALSE(identical(candidate_points(space, centres, known, 8, 3), points));
}

TEST(CandidatePoints, HalfOfThoseAroundAreAroundTheBest) {
  const Space space = cube(3);
  const std::vector<Point> centres{{0.2, 0.2, 0.2}, {0.8, 0.2, 0.2}, {0.2, 0.8, 0.2}, {0.2, 0.2, 0.8}, {0.8, 0.8, 0.8}};
  const std::vector<Point> points = candidate_points(space, centres, {}, 1, 0, {.spread = 16, .around = 800});
  std::vector<int> near(5);
  for (std::size_t i = 16; i < points.size(); ++i)
    for (std::size_t c = 0; c < 5; ++c) {
      double distance = 0;
      for (std::size_t j = 0; j < 3; ++j) distance = std::max(distance, std::abs(points[i][j] - centres[c][j]));
      near[c] += distance < 0.2;
    }
  EXPECT_NEAR(near[0], 350, 50);  // those on the widest scale may lie further off
  EXPECT_NEAR(near[1], 175, 30);
  EXPECT_NEAR(near[2], 88, 20);
  EXPECT_NEAR(near[3], 88, 20);
  EXPECT_LT(near[4], 20);
}

TEST(CandidatePoints, FewOfAThousandthAreFoundAndNoneIsAnError) {
  const std::vector<Point> points = candidate_points(cube(3, {"x0 < 0.1 && x1 < 0.1 && x2 < 0.1"}), {}, {}, 1, 0);
  EXPECT_GE(points.size(), 10u);
  for (const Point& point : points) EXPECT_LT(*std::max_element(point.begin(), point.end()), 0.1);

  const Space nowhere = cube(2, {"x0 + x1 > 3"});
  try {
    candidate_points(nowhere, {}, {}, 1, 0);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::input);
    EXPECT_EQ(error.what_is_wrong(), "no feasible point among 2^20 of the space");
  }
}

TEST(PerturbedPoint, StaysInTheSpaceAndMovesOnItsScale) {
  const Space space = mixed_space();
  RandomStream stream(5, "test-perturbed");
  const Point centre = space.from_unit(std::vector<double>(8, 0.6));
  int moved = 0, kinds = 0;
  double largest = 0;
  for (int i = 0; i < 500; ++i) {
    const Point point = perturbed_point(space, centre, 0.01, stream);
    EXPECT_TRUE(identical({space.repaired(point)}, {point}));
    moved += !identical({point}, {centre});
    kinds += point[4] != centre[4];
    largest = std::max(largest, std::abs(point[0] - centre[0]));
  }
  EXPECT_EQ(moved, 500);
  EXPECT_GT(kinds, 50);
  EXPECT_GT(largest, 0.02);
  EXPECT_LT(largest, 0.06);
}

}  // namespace
}  // namespace tempera
