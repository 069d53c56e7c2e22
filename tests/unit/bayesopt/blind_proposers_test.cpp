#include "core/bayesopt/blind_proposers.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <set>

#include "core/base/error.hpp"

namespace tempera {
namespace {

Parameter real(const std::string& name) {
  Parameter parameter;
  parameter.name = name;
  return parameter;
}

Parameter whole(const std::string& name, double high) {
  Parameter parameter = real(name);
  parameter.type = ParameterType::integer;
  parameter.low = 1;
  parameter.high = high;
  return parameter;
}

/// As a blind schedule asks: the points before are known, their values are not.
std::vector<Point> points_of(Proposer& proposer, Index count) {
  std::vector<PendingTrial> pending;
  std::vector<Point> points;
  for (Index number = 0; number < count; ++number) {
    points.push_back(proposer.propose(number, {}, pending).point);
    pending.push_back({number, points.back()});
  }
  return points;
}

std::vector<std::unique_ptr<Proposer>> both(const Space& space, std::uint64_t seed) {
  std::vector<std::unique_ptr<Proposer>> proposers;
  proposers.push_back(std::make_unique<RandomProposer>(space, seed));
  proposers.push_back(std::make_unique<SobolProposer>(space, seed));
  return proposers;
}

TEST(BlindProposers, PointsAreFeasibleNewAndThoseOfTheirNumber) {
  const Space space({real("a"), real("b"), whole("n", 9)}, {"a + b <= 0.7"});
  for (auto& proposer : both(space, 5)) {
    const auto points = points_of(*proposer, 200);
    for (std::size_t i = 0; i < points.size(); ++i) {
      EXPECT_TRUE(space.feasible(points[i]));
      for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(space.same(points[i], points[j]));
    }
    EXPECT_EQ(points_of(*proposer, 200), points);
  }
  EXPECT_NE(points_of(*both(space, 5)[0], 3), points_of(*both(space, 6)[0], 3));
  EXPECT_NE(points_of(*both(space, 5)[1], 3), points_of(*both(space, 6)[1], 3));
}

TEST(BlindProposers, SobolPointsAreEven) {
  const Space space({real("a"), real("b")});
  SobolProposer proposer(space, 1);
  std::set<int> eighths;
  for (const Point& point : points_of(proposer, 8)) eighths.insert(static_cast<int>(8 * point[0]));
  EXPECT_EQ(eighths.size(), 8u);
}

TEST(BlindProposers, ASmallSpaceIsTriedWholeAndThenAgain) {
  const Space space({whole("n", 3), whole("m", 2)}, {"n != m"});
  for (auto& proposer : both(space, 3)) {
    const auto points = points_of(*proposer, 7);
    EXPECT_EQ(std::set<Point>(points.begin(), points.begin() + 4).size(), 4u) << "four points may be tried";
    EXPECT_EQ(std::set<Point>(points.begin(), points.end()).size(), 4u);
  }
}

TEST(BlindProposers, ASpaceThatIsFeasibleNowhereIsRefused) {
  const Space space({real("a")}, {"a > 2"});
  for (auto& proposer : both(space, 3)) EXPECT_THROW(proposer->propose(0, {}, {}), Error);
}

}  // namespace
}  // namespace tempera
