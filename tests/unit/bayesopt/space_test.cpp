#include "core/bayesopt/space.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "core/base/random_stream.hpp"

namespace tempera {
namespace {

using nlohmann::json;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Parameter real(std::string name, double low, double high, bool log_scale = false) {
  return {.name = std::move(name), .type = ParameterType::real, .low = low, .high = high, .log_scale = log_scale};
}
Parameter integer(std::string name, double low, double high, bool log_scale = false) {
  return {.name = std::move(name), .type = ParameterType::integer, .low = low, .high = high, .log_scale = log_scale};
}
Parameter choice(std::string name, std::vector<json> choices, ParameterType type = ParameterType::categorical) {
  return {.name = std::move(name), .type = type, .choices = std::move(choices)};
}
Parameter boolean(std::string name) {
  return {.name = std::move(name), .type = ParameterType::boolean};
}
Parameter when(Parameter parameter, std::string parent, std::vector<json> values) {
  parameter.when = {std::move(parent), std::move(values)};
  return parameter;
}

/// Of every type; `steps` is active for solver = 'gmres' only, `restart` for steps = 3 only, and children come first.
Space mixed_space() {
  return Space({when(integer("restart", 5, 9), "steps", {3}), when(integer("steps", 1, 4), "solver", {"gmres"}),
                real("lr", 1e-5, 1, true), real("x", -3, 5), integer("threads", 1, 256, true),
                choice("block", {1, 2.5, 8}, ParameterType::ordinal), choice("solver", {"cg", "gmres"}),
                boolean("flag")});
}

/// A uniform point from its own stream.
Point draw(const Space& space, Index number) {
  RandomStream stream(7, "space-test", {number});
  std::vector<double> unit(static_cast<std::size_t>(space.size()));
  for (double& u : unit) u = stream.uniform();
  return space.from_unit(unit);
}

bool identical(const Point& a, const Point& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])))) return false;
  return a.size() == b.size();
}

std::string refusal(std::vector<Parameter> parameters, std::vector<std::string> constraints = {}) {
  try {
    const Space space(std::move(parameters), std::move(constraints));
  } catch (const SpaceError& problem) {
    EXPECT_EQ(problem.category(), Category::input);
    return problem.what_is_wrong() + " | " + problem.hint();
  }
  return "accepted";
}

std::string value_refusal(const Space& space, const json& values) {
  try {
    (void)space.from_json(values);
  } catch (const Error& problem) {
    EXPECT_EQ(problem.category(), Category::input);
    return problem.what_is_wrong() + " | " + problem.hint();
  }
  return "accepted";
}

TEST(Space, PointsComeBackFromTheirJsonToTheLastBit) {
  const Space space = mixed_space();
  for (Index number = 0; number < 20000; ++number) {
    const Point point = draw(space, number);
    const json values = json::parse(space.to_json(point).dump());
    ASSERT_TRUE(identical(space.from_json(values), point)) << "draw " << number << ": " << values;
    ASSERT_TRUE(identical(space.repaired(point), point)) << "draw " << number << ": " << values;
  }
}

TEST(Space, RealValuesComeBackForAwkwardBounds) {
  const std::vector<Parameter> awkward = {
      real("a", 0, 1),          real("b", 1e9, 1e9 + 1e-3),     real("c", 1.0 / 3, 0.7),
      real("d", -1e300, 1e299), real("e", 1e-280, 1e300, true), real("f", 1, 1.0001, true),
      real("g", 0, 1e-290),     real("h", 1e15, 3e15),          real("i", 1e-305, 1e308, true)};
  const Space space(awkward);
  for (Index number = 0; number < 20000; ++number) {
    const Point point = draw(space, number);
    const json values = json::parse(space.to_json(point).dump());
    ASSERT_TRUE(identical(space.from_json(values), point)) << "draw " << number << ": " << values;
  }
}

TEST(Space, RoundedValuesStayWithinTheBounds) {
  for (const auto& [low, high] : {std::pair(1.0 / 3, 2.0 / 3), std::pair(2.0 / 3, 1.0), std::pair(0.1, 1.0 / 3)})
    for (const bool log_scale : {false, true}) {
      const SpaceScale scale(low, high, log_scale);
      for (const double u : {0.0, 1e-15, 1e-13, 1e-12, 0.5, 1 - 1e-12, 1 - 1e-13, 1 - 1e-15, 1.0}) {
        EXPECT_GE(scale.value(u), low) << u;
        EXPECT_LE(scale.value(u), high) << u;
      }
      EXPECT_EQ(scale.value(0), low);
      EXPECT_EQ(scale.value(1), high);
      EXPECT_EQ(scale.position(low), 0);
      EXPECT_EQ(scale.position(high), 1);
    }
}

TEST(Space, ValuesThatPeopleWriteStayAsWritten) {
  const Space space({real("lr", 1e-5, 1, true), real("x", -3, 5), real("share", 0, 0.3)});
  for (const double lr : {1e-5, 3e-4, 0.001, 0.1, 0.3, 1.0})
    for (const double x : {-3.0, -0.7, 0.1, 1e-3, 4.999999, 5.0})
      for (const double share : {0.0, 0.1, 0.123456789, 0.3}) {
        const json values = {{"lr", lr}, {"x", x}, {"share", share}};
        EXPECT_EQ(json(space.to_json(space.from_json(values))), values);
      }
}

TEST(Space, IntegersOf64BitsAreExact) {
  Parameter wide = integer("seed", 0, 1);
  wide.whole_low = 9007199254740993;  // 2^53 + 1
  wide.whole_high = 9007199254741003;
  Parameter lowest = integer("lowest", 0, 1);
  lowest.whole_low = std::numeric_limits<std::int64_t>::min();
  lowest.whole_high = std::numeric_limits<std::int64_t>::min() + 2;
  const Space space({wide, lowest});
  EXPECT_EQ(space.parameters()[0].cells(), 11);
  for (std::int64_t k = *wide.whole_low; k <= *wide.whole_high; ++k) {
    const json values = json::parse("{\"seed\":" + std::to_string(k) + ",\"lowest\":-9223372036854775807}");
    const Point point = space.from_json(values);
    EXPECT_EQ(point[0], static_cast<double>(k - *wide.whole_low));
    EXPECT_EQ(space.to_json(point)["seed"].get<std::int64_t>(), k);
    EXPECT_EQ(space.to_json(point)["lowest"].get<std::int64_t>(), -9223372036854775807);
  }
  EXPECT_EQ(value_refusal(space, json::parse(R"({"seed":9007199254740992,"lowest":-9223372036854775807})")),
            "parameter 'seed': 9007199254740992 is not within [9007199254740993, 9007199254741003] | ");
  EXPECT_EQ(value_refusal(space, json::parse(R"({"seed":9223372036854775808,"lowest":-9223372036854775807})")),
            "parameter 'seed': a whole number of 64 bits expected, not 9223372036854775808 | ");
}

TEST(Space, OnlyActiveParametersAreShown) {
  const Space space = mixed_space();
  const json values = {{"lr", 0.1}, {"x", 0}, {"threads", 16}, {"block", 8}, {"solver", "cg"}, {"flag", true}};
  const Point point = space.from_json(values);
  EXPECT_TRUE(std::isnan(point[0]) && std::isnan(point[1]));
  EXPECT_EQ(json(space.to_json(point)), values);
  json deeper = values;
  deeper["solver"] = "gmres";
  deeper["steps"] = 3;
  deeper["restart"] = 9;
  EXPECT_EQ(json(space.to_json(space.from_json(deeper))), deeper);
}

TEST(Space, UnitCoordinatesCoverCellsEvenly) {
  const Space space({integer("i", -2, 4), choice("c", {"a", "b", "c"}), boolean("b"), integer("log", 1, 100, true)});
  constexpr Index kCount = 42000;
  std::vector<std::vector<Index>> counts = {std::vector<Index>(7), std::vector<Index>(3), std::vector<Index>(2)};
  double up_to_ten = 0;
  for (Index k = 0; k < kCount; ++k) {
    const double u = (static_cast<double>(k) + 0.5) / kCount;
    const Point point = space.from_unit(std::vector<double>(4, u));
    for (std::size_t i = 0; i < 3; ++i) ++counts[i][static_cast<std::size_t>(point[i])];
    up_to_ten += point[3] < 10 ? 1 : 0;
  }
  for (const auto& cells : counts)
    for (const Index count : cells) EXPECT_EQ(count, kCount / std::ssize(cells));
  // Cells of an integer on a log scale: from ½ to 100½, of which up to 10½ are ten values.
  EXPECT_NEAR(up_to_ten / kCount, std::log(21.0) / std::log(201.0), 1e-4);
  EXPECT_EQ(space.from_unit(std::vector<double>(4, 0)), (Point{0, 0, 0, 0}));
  EXPECT_EQ(space.from_unit(std::vector<double>(4, 1)), (Point{6, 2, 1, 99}));
}

TEST(Space, EncodesAsItsHeaderSays) {
  const Space space({real("x", 0, 4), integer("n", 1, 100, true), integer("k", -1, 3),
                     choice("o", {1, 2, 8}, ParameterType::ordinal), choice("c", {"a", "b"}), boolean("f"),
                     when(choice("inner", {"u", "v", "w"}), "c", {"b"}), when(real("depth", 0, 1), "f", {true})});
  EXPECT_EQ(space.features(), 13);
  const std::vector<Index> owners = {0, 1, 2, 3, 4, 4, 5, 6, 6, 6, 6, 7, 7};
  EXPECT_EQ(std::vector<Index>(space.parameter_of_feature().begin(), space.parameter_of_feature().end()), owners);
  for (Index i = 0, feature = 0; i < space.size(); ++i) {
    while (owners[static_cast<std::size_t>(feature)] < i) ++feature;
    EXPECT_EQ(space.first_feature(i), feature);
  }
  std::vector<double> features(13, -1);
  const double r = 1 / std::sqrt(2.0);
  const auto expect = [&](const Point& point, const std::vector<double>& wanted) {
    space.encode(point, features);
    for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(features[i], wanted[i], 1e-15) << "feature " << i;
  };
  expect({0.25, 9, 1, 1, 1, 1, 2, 0.75}, {0.25, 0.5, 0.25, 0.5, 0, r, 1, 0, 0, r, 0.5, 0.75, 0.5});
  expect({1, 0, 4, 2, 0, 0, kNan, kNan}, {1, 0, 1, 1, r, 0, 0, 0, 0, 0, 0, 0.5, 0});
}

TEST(Space, TwoChoicesDifferByOneInSquaredDistance) {
  const Space space({choice("c", {"a", "b", "c"})});
  std::vector<double> a(3), b(3);
  space.encode(Point{0}, a);
  space.encode(Point{2}, b);
  double squared = 0;
  for (std::size_t i = 0; i < 3; ++i) squared += (a[i] - b[i]) * (a[i] - b[i]);
  EXPECT_NEAR(squared, 1, 1e-15);
}

TEST(Space, RepairsWhateverIsNoPoint) {
  const Space space = mixed_space();
  Point odd = {17, 2.2, -0.5, kNan, 1e9, -3, 1.4, 0.6};  // restart steps lr x threads block solver flag
  EXPECT_EQ(space.repaired(odd), (Point{4, 2, 0, 0.5, 255, 0, 1, 1}));
  odd[1] = 0.4;
  const Point shallower = space.repaired(odd);
  EXPECT_TRUE(std::isnan(shallower[0])) << "restart needs steps = 3";
  EXPECT_EQ(shallower[1], 0);
  odd[6] = 0;
  EXPECT_TRUE(std::isnan(space.repaired(odd)[0]) && std::isnan(space.repaired(odd)[1])) << "and its grandparent";
}

TEST(Space, InitialValuesMakeAPoint) {
  std::vector<Parameter> parameters = {real("lr", 1e-5, 1, true), integer("k", 0, 4), boolean("f"),
                                       when(real("a", 0, 1), "f", {true}), when(real("b", 0, 1), "f", {false})};
  EXPECT_EQ(Space(parameters).initial_point(), std::nullopt);
  parameters[0].initial = 0.003;
  parameters[2].initial = true;
  parameters[4].initial = 0.1;
  const Space space(parameters);
  const std::optional<Point> point = space.initial_point();
  ASSERT_TRUE(point.has_value());
  EXPECT_EQ(space.to_json(*point).dump(), R"({"lr":0.003,"k":2,"f":true,"a":0.5})");
}

TEST(Space, ConstraintsSeeNaturalValuesAndSpareTheInactive) {
  const Space space({real("a", 0, 10), integer("n", 1, 64, true), choice("o", {1, 4, 16}, ParameterType::ordinal),
                     choice("c", {"x", "y"}), boolean("f"), when(real("z", 0, 1), "c", {"y"})},
                    {"a + n <= 20", "o < 16 || c == 'y'", "z > 0.5", "!f || n % 2 == 0"});
  const auto feasible = [&](const json& values) { return space.feasible(space.from_json(values)); };
  json good = {{"a", 4}, {"n", 16}, {"o", 4}, {"c", "x"}, {"f", true}};
  EXPECT_TRUE(feasible(good)) << "z is not active, so that its constraint holds";
  for (const json& change : {json{{"a", 4.001}}, json{{"o", 16}}, json{{"n", 15}}}) {
    json bad = good;
    bad.update(change);
    EXPECT_FALSE(feasible(bad)) << change;
  }
  good.update({{"c", "y"}, {"o", 16}, {"z", 0.75}});
  EXPECT_TRUE(feasible(good));
  good["z"] = 0.25;
  EXPECT_FALSE(feasible(good));
}

TEST(Space, SameForgivesRoundingOnly) {
  const Space space({real("x", 0, 1), integer("k", 0, 9), when(boolean("f"), "k", {1})});
  EXPECT_TRUE(space.same(Point{0.5, 1, 0}, Point{0.5 + 1e-10, 1, 0}));
  EXPECT_FALSE(space.same(Point{0.5, 1, 0}, Point{0.5 + 1e-8, 1, 0}));
  EXPECT_FALSE(space.same(Point{0.5, 1, 0}, Point{0.5, 1, 1}));
  EXPECT_FALSE(space.same(Point{0.5, 1, kNan}, Point{0.5, 1, 1}));
  EXPECT_TRUE(space.same(Point{0.5, 2, kNan}, Point{0.5, 2, kNan}));
}

TEST(Space, RefusesBadPointsNamingTheParameter) {
  const Space space = mixed_space();
  const json good = {{"lr", 0.1}, {"x", 0}, {"threads", 16}, {"block", 8}, {"solver", "cg"}, {"flag", true}};
  const auto with = [&](const char* name, const json& value) {
    json values = good;
    values[name] = value;
    return value_refusal(space, values);
  };
  EXPECT_EQ(value_refusal(space, good), "accepted");
  EXPECT_EQ(value_refusal(space, 3), R"(a point must be an object of parameters and values | such as {"x": 0.5})");
  EXPECT_EQ(with("flg", 1), "unknown parameter 'flg' | did you mean 'flag'?");
  EXPECT_EQ(with("x", 5.1), "parameter 'x': 5.1 is not within [-3, 5] | ");
  EXPECT_EQ(with("x", kNan), "parameter 'x': nan is not within [-3, 5] | ");
  EXPECT_EQ(with("x", "1"), "parameter 'x': a number expected, not \"1\" | ");
  EXPECT_EQ(with("x", nullptr), "parameter 'x': a number expected, not null | ");
  EXPECT_EQ(with("threads", 16.5), "parameter 'threads': a whole number of 64 bits expected, not 16.5 | ");
  EXPECT_EQ(with("threads", 16.0), "accepted");
  EXPECT_EQ(with("threads", 0), "parameter 'threads': 0 is not within [1, 256] | ");
  EXPECT_EQ(with("threads", true), "parameter 'threads': a whole number of 64 bits expected, not true | ");
  EXPECT_EQ(with("block", 3), "parameter 'block': 3 is none of its choices | its choices are 1, 2.5, 8");
  EXPECT_EQ(with("solver", "CG"),
            "parameter 'solver': \"CG\" is none of its choices | its choices are \"cg\", \"gmres\"");
  EXPECT_EQ(with("flag", 1), "parameter 'flag': true or false expected, not 1 | ");
  EXPECT_EQ(with("steps", 1),
            "parameter 'steps': it has a value but is not active | it is active only when solver says so");
  EXPECT_EQ(with("solver", "gmres"), "parameter 'steps': its value is missing | ");
}

TEST(Space, RefusesBadDescriptionsNamingTheParameter) {
  EXPECT_EQ(refusal({}), "the space has no parameter | describe each in a [[parameter]] table");
  EXPECT_EQ(refusal({real("", 0, 1)}), "parameter 1 has no name | ");
  EXPECT_EQ(refusal({real("a b", 0, 1)}),
            "parameter 'a b': this cannot be a name | names are letters, digits, '_' and '.', and begin with a letter");
  EXPECT_EQ(refusal({real("x", 0, 1), real("x", 0, 2)}), "parameter 'x': there are two parameters of this name | ");
  EXPECT_EQ(refusal({real("x", 2, 1)}), "parameter 'x': its low 2 is not below its high 1 | exchange the two");
  EXPECT_EQ(refusal({real("x", 1, 1)}),
            "parameter 'x': its low 1 is not below its high 1 | a constant belongs into the command");
  EXPECT_EQ(refusal({integer("x", 3, -3)}), "parameter 'x': its low 3 is not below its high -3 | exchange the two");
  EXPECT_EQ(refusal({real("x", 0, 1, true)}),
            "parameter 'x': its low 0 is not positive, as a log scale needs | raise low, or take the linear scale");
  EXPECT_EQ(refusal({integer("x", -1, 1, true)}),
            "parameter 'x': its low -1 is not positive, as a log scale needs | raise low, or take the linear scale");
  EXPECT_EQ(refusal({real("x", kNan, 1)}), "parameter 'x': its bounds nan and 1 are not finite | ");
  EXPECT_EQ(refusal({real("x", -1.7e308, 1.7e308)}), "parameter 'x': its bounds are too far apart for a double | ");
  EXPECT_EQ(refusal({integer("x", 0.5, 3)}), "parameter 'x': its bounds 0.5 and 3 are not whole numbers of 64 bits | ");
  EXPECT_EQ(refusal({integer("x", 0, 1e17)}), "parameter 'x': it has more than 2^53 values | narrow its bounds");
  EXPECT_EQ(refusal({choice("x", {})}), "parameter 'x': it has no choices | ");
  EXPECT_EQ(refusal({choice("x", {"a", "b", "a"})}), "parameter 'x': the choice 'a' is there twice | ");
  EXPECT_EQ(refusal({choice("x", {1, json::array()})}),
            "parameter 'x': choice [] is not a text, a number, true or false | ");
  EXPECT_EQ(refusal({when(real("x", 0, 1), "mode", {1}), integer("node", 1, 2)}),
            "parameter 'x': it depends on 'mode', which is no parameter | did you mean 'node'?");
  EXPECT_EQ(refusal({when(real("x", 0, 1), "y", {1}), real("y", 0, 1)}),
            "parameter 'x': it depends on 'y', which is real | a condition is on a choice, a boolean or an integer");
  EXPECT_EQ(
      refusal({when(real("x", 0, 1), "c", {"z"}), choice("c", {"a", "b"})}),
      "parameter 'x': it depends on a value that is none of 'c' | parameter 'c': \"z\" is none of its choices; its "
      "choices are \"a\", \"b\"");
  EXPECT_EQ(refusal({when(real("x", 0, 1), "c", {}), boolean("c")}),
            "parameter 'x': it depends on 'c' but on no value of it | ");
  EXPECT_EQ(refusal({when(boolean("x"), "x", {true})}),
            "parameter 'x': conditions depend on each other in a cycle: x on x | ");
  EXPECT_EQ(refusal({when(real("r", 0, 1), "a", {true}), when(boolean("a"), "c", {true}),
                     when(boolean("b"), "a", {true}), when(boolean("c"), "b", {true})}),
            "parameter 'a': conditions depend on each other in a cycle: a on c on b on a | ");
  Parameter initial = real("x", 0, 1);
  initial.initial = 2;
  EXPECT_EQ(refusal({initial}), "parameter 'x': its initial value: 2 is not within [0, 1] | ");
  EXPECT_EQ(refusal({real("x", 0, 1)}, {"x < 1", "x + w < 1"}),
            "constraint 'x + w < 1': unknown name 'w' at character 5 | did you mean 'x'?");
  EXPECT_EQ(refusal({real("x", 0, 1)}, {"x + 1"}),
            "constraint 'x + 1': it is a number, not true or false | compare it with a bound: … <= 1");
}

TEST(Space, ErrorsSayWhichPartIsWrong) {
  try {
    const Space space({real("x", 0, 1)}, {"x < 1", "x <"});
    FAIL();
  } catch (const SpaceError& problem) {
    EXPECT_EQ(problem.constraint(), std::optional<Index>(1));
    EXPECT_EQ(problem.key(), "expression");
    EXPECT_EQ(problem.parameter(), std::nullopt);
  }
  try {
    const Space space({real("x", 0, 1), real("y", 1, 0)});
    FAIL();
  } catch (const SpaceError& problem) {
    EXPECT_EQ(problem.parameter(), std::optional<Index>(1));
    EXPECT_EQ(problem.key(), "low");
  }
}

TEST(Space, DescriptionTellsSpacesApart) {
  const Space space = mixed_space();
  EXPECT_EQ(space.description(), mixed_space().description());
  EXPECT_EQ(space.description()["parameters"][1].dump(),
            R"({"name":"steps","type":"integer","low":1,"high":4,"when":{"parent":"solver","values":["gmres"]}})");
  EXPECT_EQ(space.description()["parameters"][2].dump(),
            R"({"name":"lr","type":"real","low":1e-05,"high":1.0,"scale":"log"})");
  EXPECT_NE(Space({real("x", 0, 1)}).description(), Space({real("x", 0, 1)}, {"x < 0.5"}).description());
}

TEST(Space, MayBeRestrictedByAFunction) {
  Space space({{.name = "a"}, {.name = "b"}});
  EXPECT_TRUE(space.feasible(Point{0.9, 0.5}));
  space.restrict([](std::span<const double> point) { return point[0] < point[1]; });
  EXPECT_FALSE(space.feasible(Point{0.9, 0.5}));
  EXPECT_TRUE(space.feasible(Point{0.4, 0.5}));
}

}  // namespace
}  // namespace tempera
