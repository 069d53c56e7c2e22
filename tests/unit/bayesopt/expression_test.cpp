#include "core/bayesopt/expression.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/error.hpp"

namespace tempera {
namespace {

using Kind = ExpressionName::Kind;

const std::vector<ExpressionName> kNames = {{"x", Kind::number, {}},
                                            {"y", Kind::number, {}},
                                            {"flag", Kind::boolean, {}},
                                            {"solver", Kind::choice, {"cg", "gmres", "größe"}},
                                            {"mixed", Kind::choice, {1, "auto", true}}};

double evaluate(const std::string& text, double x = 0, double y = 0, double flag = 0, double solver = 0,
                double mixed = 0) {
  const std::vector<double> all = {x, y, flag, solver, mixed};
  const Expression expression(text, kNames);
  std::vector<double> values;
  for (const Index name : expression.names()) values.push_back(all[static_cast<std::size_t>(name)]);
  return expression.evaluate(values);
}

std::string refusal(const std::string& text) {
  try {
    const Expression expression(text, kNames);
  } catch (const Error& problem) {
    EXPECT_EQ(problem.category(), Category::input);
    return problem.what_is_wrong() + " | " + problem.hint();
  }
  return "accepted";
}

TEST(Expression, HasTheValuesOfHandCalculation) {
  EXPECT_DOUBLE_EQ(evaluate("1 + 2 * 3"), 7);
  EXPECT_DOUBLE_EQ(evaluate("(1 + 2) * 3"), 9);
  EXPECT_DOUBLE_EQ(evaluate("10 - 4 - 3"), 3);
  EXPECT_DOUBLE_EQ(evaluate("24 / 4 / 2"), 3);
  EXPECT_DOUBLE_EQ(evaluate("17 % 5 * 2"), 4);
  EXPECT_DOUBLE_EQ(evaluate("-7 % 3"), -1);
  EXPECT_DOUBLE_EQ(evaluate("-2 ^ 2"), -4);
  EXPECT_DOUBLE_EQ(evaluate("2 ^ 3 ^ 2"), 512);
  EXPECT_DOUBLE_EQ(evaluate("2 ^ -1"), 0.5);
  EXPECT_DOUBLE_EQ(evaluate("x - -y", 3, 4), 7);
  EXPECT_DOUBLE_EQ(evaluate("- x ^ 2", 3), -9);
  EXPECT_DOUBLE_EQ(evaluate("--x", 3), 3);
  EXPECT_DOUBLE_EQ(evaluate("min(x, y, 1.5)", 3, 4), 1.5);
  EXPECT_DOUBLE_EQ(evaluate("max(x, y, 1.5)", 3, 4), 4);
  EXPECT_DOUBLE_EQ(evaluate("abs(x) + sqrt(y)", -3, 4), 5);
  EXPECT_DOUBLE_EQ(evaluate("log(exp(x))", 2.5), 2.5);
  EXPECT_DOUBLE_EQ(evaluate("1e-3 * 2.5e2 + .5"), 0.75);
  EXPECT_DOUBLE_EQ(evaluate("flag + 2 * flag", 0, 0, 1), 3);
}

TEST(Expression, ComparesAndJoinsConditions) {
  EXPECT_EQ(evaluate("x + y <= 1", 0.5, 0.5), 1);
  EXPECT_EQ(evaluate("x + y < 1", 0.5, 0.5), 0);
  EXPECT_EQ(evaluate("3 < x", 4), 1);
  EXPECT_EQ(evaluate("3 < x", 2), 0);
  EXPECT_EQ(evaluate("3 >= x", 4), 0);
  EXPECT_EQ(evaluate("3 > 2 && 2 > 3"), 0);
  EXPECT_EQ(evaluate("x == 1 || y == 1 && flag", 1, 0, 0), 1) << "&& binds tighter than ||";
  EXPECT_EQ(evaluate("(x == 1 || y == 1) && flag", 1, 0, 0), 0);
  EXPECT_EQ(evaluate("!flag && x == 1", 1, 0, 0), 1) << "! binds tighter than &&";
  EXPECT_EQ(evaluate("!x == 1", 1), 0) << "comparisons bind tighter than !";
  EXPECT_EQ(evaluate("!!flag", 0, 0, 1), 1);
  EXPECT_EQ(evaluate("flag == false", 0, 0, 1), 0);
  EXPECT_EQ(evaluate("true != false"), 1);
  EXPECT_EQ(evaluate("x % 4 == 0", 12), 1);
  EXPECT_EQ(evaluate("x in [1, 2, -4]", -4), 1);
  EXPECT_EQ(evaluate("x * 2 in [1, 2, 4]", 3), 0);
}

TEST(Expression, ComparesChoicesWithTheirValues) {
  EXPECT_EQ(evaluate("solver == 'gmres'", 0, 0, 0, 1), 1);
  EXPECT_EQ(evaluate("'gmres' == solver", 0, 0, 0, 0), 0);
  EXPECT_EQ(evaluate("solver != \"cg\"", 0, 0, 0, 1), 1);
  EXPECT_EQ(evaluate("solver == 'größe'", 0, 0, 0, 2), 1);
  EXPECT_EQ(evaluate("solver in ['cg', 'größe'] && x > 0", 1, 0, 0, 2), 1);
  EXPECT_EQ(evaluate("solver in ['cg', 'größe']", 1, 0, 0, 1), 0);
  EXPECT_EQ(evaluate("mixed == 'auto'", 0, 0, 0, 0, 1), 1);
  EXPECT_EQ(evaluate("mixed == 1", 0, 0, 0, 0, 0), 1);
  EXPECT_EQ(evaluate("mixed == true", 0, 0, 0, 0, 1), 0);
}

TEST(Expression, FollowsIeeeForNanAndInfinity) {
  EXPECT_TRUE(std::isnan(evaluate("log(x)", -1)));
  EXPECT_TRUE(std::isnan(evaluate("0 / x", 0)));
  EXPECT_TRUE(std::isnan(evaluate("min(x, y)", std::numeric_limits<double>::quiet_NaN(), 1)));
  EXPECT_TRUE(std::isnan(evaluate("max(x, y)", 1, std::numeric_limits<double>::quiet_NaN())));
  EXPECT_EQ(evaluate("log(x) <= 5", -1), 0);
  EXPECT_EQ(evaluate("log(x) > 5", -1), 0);
  EXPECT_EQ(evaluate("log(x) != 5", -1), 1);
  EXPECT_EQ(evaluate("1 / x > 1e300", 0), 1);
  EXPECT_EQ(evaluate("log(x) in [1, 2]", -1), 0);
}

TEST(Expression, TellsNumbersFromConditions) {
  EXPECT_FALSE(Expression("x + 1", kNames).is_condition());
  EXPECT_TRUE(Expression("x > 1", kNames).is_condition());
  EXPECT_TRUE(Expression("flag", kNames).is_condition());
  EXPECT_FALSE(Expression("flag + 0", kNames).is_condition());
  const Expression both("y + x + y", kNames);
  EXPECT_EQ(std::vector<Index>(both.names().begin(), both.names().end()), (std::vector<Index>{1, 0}));
}

TEST(Expression, RefusesWithPositionAndMend) {
  EXPECT_EQ(refusal("x + z <= 1"), "unknown name 'z' at character 5 | did you mean 'x'?");
  EXPECT_EQ(refusal("alpha <= 1"), "unknown name 'alpha' at character 1 | names are x, y, flag, solver, mixed");
  EXPECT_EQ(refusal("flog || x > 1"), "unknown name 'flog' at character 1 | did you mean 'flag'?");
  EXPECT_EQ(refusal("solver == 'gmers'"), "'gmers' is no choice of 'solver' at character 11 | did you mean 'gmres'?");
  EXPECT_EQ(refusal("solver == 3"), "'3' is no choice of 'solver' at character 11 | its choices are cg, gmres, größe");
  EXPECT_EQ(refusal("solver < 'cg'"), "texts and choices have no '<' at character 8 | use == or !=");
  EXPECT_EQ(refusal("solver == mixed"), "a choice can be compared with one of its values only at character 11 | ");
  EXPECT_EQ(refusal("x == 'cg'"), "a text can be compared with a choice only at character 6 | ");
  EXPECT_EQ(refusal("x in ['cg']"), "a text can be compared with a choice only at character 7 | ");
  EXPECT_EQ(refusal("solver + 1 > 2"), "a text or choice is no number at character 1 | compare it with == or !=");
  EXPECT_EQ(refusal("solver"), "a text or choice is no condition at character 1 | compare it with == or !=");
  EXPECT_EQ(refusal("x && flag"), "a condition expected, not a number, text or choice at character 1 | ");
  EXPECT_EQ(refusal("1 < x < 3"), "comparisons cannot be chained at character 7 | write a < b && b < c");
  EXPECT_EQ(refusal("x = 1"), "a lone '=' at character 3 | equality is written ==");
  EXPECT_EQ(refusal("flag & flag"), "a lone '&' at character 6 | 'and' is written &&, 'or' is written ||");
  EXPECT_EQ(refusal("flag and flag"), "an operator expected, not 'and' at character 6 | write &&");
  EXPECT_EQ(refusal("not flag"), "unknown name 'not' at character 1 | write !");
  EXPECT_EQ(refusal("x y"), "an operator expected, not 'y' at character 3 | ");
  EXPECT_EQ(refusal("x +"), "a number, a name or '(' expected, not the end at character 4 | ");
  EXPECT_EQ(refusal("(x > 1"), "')' expected, not the end at character 7 | ");
  EXPECT_EQ(refusal("x > 1)"), "an operator expected, not ')' at character 6 | ");
  EXPECT_EQ(refusal(""), "a number, a name or '(' expected, not the end at character 1 | ");
  EXPECT_EQ(refusal("sqr(x)"), "unknown function 'sqr' at character 1 | did you mean 'sqrt'?");
  EXPECT_EQ(refusal("sin(x)"), "unknown function 'sin' at character 1 | did you mean 'min'?");
  EXPECT_EQ(refusal("sqrt(x, y)"), "sqrt takes one value at character 1 | ");
  EXPECT_EQ(refusal("min(x)"), "min takes two values or more at character 1 | ");
  EXPECT_EQ(refusal("x > 1e999"), "the number is too large or too small at character 5 | ");
  EXPECT_EQ(refusal("2x > 1"), "'2x' is not a number at character 1 | ");
  EXPECT_EQ(refusal("x > 'abc"), "the text is not closed by ' at character 5 | ");
  EXPECT_EQ(refusal("x # y"), "unexpected character '#' at character 3 | ");
  EXPECT_EQ(refusal("solver == 'größe' && z"), "unknown name 'z' at character 22 | did you mean 'x'?")
      << "positions count characters, not bytes";
}

TEST(Expression, RefusesWhatDoesNotFitItsStack) {
  std::string deep, powers, sum = "x";
  for (int i = 0; i < 70; ++i) deep += "x + (";
  EXPECT_EQ(refusal(deep + "x" + std::string(70, ')')).substr(0, 38), "the expression is nested too deeply at");
  EXPECT_EQ(refusal(std::string(100000, '(')).substr(0, 20), "too many parentheses");
  for (int i = 0; i < 100000; ++i) powers += "1^";
  EXPECT_EQ(refusal(powers + "1").substr(0, 38), "the expression is nested too deeply at");
  for (int i = 0; i < 10000; ++i) sum += " + x";
  EXPECT_DOUBLE_EQ(evaluate(sum, 1), 10001) << "long is not deep";
}

}  // namespace
}  // namespace tempera
