#include "core/bayesopt/feasible.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/base/error.hpp"

namespace tempera {
namespace {

Space plane(std::vector<std::string> constraints) {
  return Space({{.name = "x", .low = -1, .high = 1}, {.name = "y", .low = -1, .high = 1}}, std::move(constraints));
}

TEST(Feasible, PointsAreUniformInADisc) {
  const Space space = plane({"x^2 + y^2 <= 1"});
  RandomStream stream(1, "feasible-test");
  constexpr Index kPoints = 20000;
  Index draws = 0;
  double inner = 0;
  for (Index i = 0; i < kPoints; ++i) {
    const FeasibleDraw draw = draw_feasible(space, stream);
    ASSERT_TRUE(space.feasible(draw.point));
    draws += draw.draws;
    const double x = 2 * draw.point[0] - 1;
    const double y = 2 * draw.point[1] - 1;
    inner += x * x + y * y <= 0.25 ? 1 : 0;
  }
  // Six standard errors of a binomial share: false alarms below 1e-8.
  const double share = std::numbers::pi / 4;
  EXPECT_NEAR(static_cast<double>(kPoints) / static_cast<double>(draws), share,
              6 * std::sqrt(share * (1 - share) / static_cast<double>(draws)));
  EXPECT_NEAR(inner / kPoints, 0.25, 6 * std::sqrt(0.25 * 0.75 / kPoints));
  EXPECT_NEAR(acceptance_rate(space, stream, 20000), share, 6 * std::sqrt(share * (1 - share) / 20000));
}

TEST(Feasible, WithoutConstraintsTheFirstDrawIsTaken) {
  const Space space = plane({});
  RandomStream stream(2, "feasible-test");
  EXPECT_EQ(draw_feasible(space, stream).draws, 1);
  EXPECT_EQ(acceptance_rate(space, stream, 100), 1);
}

TEST(Feasible, TheEmptySetIsRefused) {
  const Space space = plane({"x + y < 10", "x^2 + y^2 < -1"});
  RandomStream stream(3, "feasible-test");
  try {
    sample_feasible(space, stream);
    FAIL();
  } catch (const Error& problem) {
    EXPECT_EQ(problem.category(), Category::input);
    EXPECT_EQ(problem.what_is_wrong(), "no point satisfies the constraints in 1000000 draws");
    EXPECT_EQ(problem.hint(),
              "'x^2 + y^2 < -1' fails in 100 % of the draws: loosen it, or narrow the bounds around what it allows");
  }
}

}  // namespace
}  // namespace tempera
