#include "core/bayesopt/free_coordinates.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace tempera {
namespace {

Parameter parameter(ParameterType type, double low = 0, double high = 1, bool log_scale = false) {
  Parameter p;
  p.name = "p" + std::to_string(static_cast<int>(type)) + (log_scale ? "log" : "");
  p.type = type;
  p.low = low;
  p.high = high;
  p.log_scale = log_scale;
  return p;
}

Space mixed() {
  Parameter size = parameter(ParameterType::ordinal);
  size.choices = {1, 10, 100};
  Parameter kind = parameter(ParameterType::categorical);
  kind.choices = {"a", "b"};
  return Space({parameter(ParameterType::real, -2, 3), parameter(ParameterType::real, 1e-3, 1, true),
                parameter(ParameterType::integer, -3, 5), parameter(ParameterType::integer, 1, 50, true), size, kind,
                parameter(ParameterType::boolean)});
}

TEST(FreeCoordinates, APointComesBackFromItsPlace) {
  const Space space = mixed();
  const FreeCoordinates free(space);
  for (const double u : {0.0, 0.01, 0.3, 0.5, 0.97, 1.0}) {
    const Point point = space.from_unit(std::vector<double>(7, u));
    const Point back = free.point(free.coordinates(point));
    for (std::size_t i = 0; i < point.size(); ++i) EXPECT_NEAR(back[i], point[i], 1e-11) << u << " " << i;
  }
}

// Walls at −0.05 and 1.05, where the position is 0 and 1 and has no slope; mirror images beyond.
TEST(FreeCoordinates, GoOnBeyondTheBoundsAsInAMirror) {
  const Space space({parameter(ParameterType::real)});
  const FreeCoordinates free(space);
  const auto at = [&](double x) { return free.point(Eigen::VectorXd::Constant(1, x))[0]; };
  for (const double x : {0.05, 0.3, 0.95}) EXPECT_NEAR(at(x), x, 1e-12);
  EXPECT_EQ(at(-0.05), 0);
  EXPECT_EQ(at(1.05), 1);
  for (const double d : {0.01, 0.07, 0.4, 1.0}) {
    EXPECT_NEAR(at(-0.05 - d), at(-0.05 + d), 1e-11);
    EXPECT_NEAR(at(1.05 + d), at(1.05 - d), 1e-11);
    EXPECT_NEAR(at(0.2 + d + 2.2), at(0.2 + d), 1e-11);
    EXPECT_NEAR(at(0.2 + d - 22), at(0.2 + d), 1e-10);
  }
  double last = at(-0.05);
  for (double x = -0.049; x < 1.05; x += 0.001) {
    const double next = at(x);
    EXPECT_GE(next, last);
    EXPECT_LE(next - last, 0.001 + 1e-11);
    last = next;
  }
}

TEST(FreeCoordinates, EdgesOfCellsAreWhereThePointChanges) {
  const Space space = mixed();
  const FreeCoordinates free(space);
  for (Index i = 2; i < 7; ++i)
    for (const double x : {-0.4, 0.001, 0.2, 0.49, 0.77, 0.999, 1.3}) {
      Eigen::VectorXd place = Eigen::VectorXd::Constant(7, 0.4);
      const auto entry = [&](double coordinate) {
        place(i) = coordinate;
        return free.point(place)[static_cast<std::size_t>(i)];
      };
      const auto [below, above] = free.cell(i, x);
      const double cell = entry(x);
      if (std::isfinite(below)) {
        EXPECT_EQ(entry(below - 1e-9), cell - 1);
        EXPECT_EQ(entry(below + 1e-9), cell);
      } else {
        EXPECT_EQ(cell, 0);
      }
      if (std::isfinite(above)) {
        EXPECT_EQ(entry(above + 1e-9), cell + 1);
      } else {
        EXPECT_EQ(cell, static_cast<double>(space.parameters()[static_cast<std::size_t>(i)].cells() - 1));
      }
    }
}

TEST(FreeCoordinates, ChoicesWithoutAnOrderAreRefused) {
  Parameter kind = parameter(ParameterType::categorical);
  kind.name = "kind";
  kind.choices = {"a", "b", "c"};
  const Space space({kind});
  try {
    const FreeCoordinates free(space);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::usage);
    EXPECT_EQ(
        error.message(),
        "tempera: error: --scheduler: cma-es needs values that have an order, and the 3 choices of 'kind' have none\n"
        "hint: type = \"ordinal\" if their order means something, or another scheduler");
  }
}

}  // namespace
}  // namespace tempera
