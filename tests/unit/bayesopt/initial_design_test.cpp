#include "core/bayesopt/initial_design.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/error.hpp"

namespace tempera {
namespace {

Space three() {
  return Space({{.name = "a"}, {.name = "b"}, {.name = "c"}});
}

TEST(InitialDesign, HasAPointInEveryStratumOfEveryCoordinate) {
  const Space space = three();
  const InitialDesign design(space, 7, 1);
  std::set<int> strata[3];
  for (Index number = 0; number < 7; ++number) {
    const Point point = *design.next(number, {});
    for (std::size_t i = 0; i < 3; ++i) strata[i].insert(static_cast<int>(std::floor(7 * point[i])));
  }
  for (const auto& of_coordinate : strata) EXPECT_EQ(of_coordinate.size(), 7u);
}

TEST(InitialDesign, DependsOnTheSeedAndTheNumber) {
  const Space space = three();
  const InitialDesign one(space, 5, 1), same(space, 5, 1), other(space, 5, 2);
  EXPECT_EQ(one.next(3, {}), same.next(3, {}));
  EXPECT_NE(one.next(3, {}), other.next(3, {}));
  EXPECT_NE(one.next(3, {}), one.next(4, {}));
  EXPECT_TRUE(one.next(50, {}).has_value()) << "goes on after the hypercube";
}

TEST(InitialDesign, BeginsWithTheInitialValues) {
  const Space space({{.name = "a", .low = 2, .high = 4, .initial = 2.5}, {.name = "b"}});
  const InitialDesign design(space, 4, 1);
  const Point first = *design.next(0, {});
  EXPECT_EQ(space.to_json(first)["a"], 2.5);
  EXPECT_NE(design.next(0, std::vector<Point>{first}), first) << "once";
}

TEST(InitialDesign, TriesWhatIsAllowedAndNotKnown) {
  const Space narrow({{.name = "a"}, {.name = "b"}}, {"a + b < 0.2"});
  const InitialDesign design(narrow, 10, 1);
  for (Index number = 0; number < 10; ++number) EXPECT_TRUE(narrow.feasible(*design.next(number, {})));
  const Space cells({{.name = "a", .type = ParameterType::integer, .low = 1, .high = 3}});
  const InitialDesign few(cells, 4, 1);
  std::vector<Point> known;
  for (Index number = 0; number < 3; ++number) known.push_back(*few.next(number, known));
  EXPECT_EQ(std::set<Point>(known.begin(), known.end()).size(), 3u);
  EXPECT_FALSE(few.next(3, known).has_value());
  const Space nothing({{.name = "a"}}, {"a > 2"});
  EXPECT_THROW(InitialDesign(nothing, 4, 1).next(0, {}), Error);
}

}  // namespace
}  // namespace tempera
