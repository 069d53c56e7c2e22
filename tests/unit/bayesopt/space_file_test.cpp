#include "core/bayesopt/space_file.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "core/bayesopt/condition.hpp"
#include "tests/support/data.hpp"

namespace tempera {
namespace {

using nlohmann::json;

class SpaceFiles : public ::testing::Test {
 protected:
  SpaceFile read(const std::string& text) {
    std::ofstream(file_, std::ios::binary) << text;
    return read_space_file(file_);
  }
  /// "LINE: what is wrong | hint"
  std::string refusal(const std::string& text) {
    try {
      read(text);
    } catch (const Error& problem) {
      EXPECT_EQ(problem.category(), Category::input);
      EXPECT_TRUE(problem.where().starts_with(file_.string())) << problem.where();
      const std::string line = problem.where().substr(std::min(file_.string().size() + 1, problem.where().size()));
      return line + ": " + problem.what_is_wrong() + " | " + problem.hint();
    }
    return "accepted";
  }

  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "SPACE.toml";
};

constexpr const char* kWhole = R"(# every kind of parameter
[[parameter]]
name = "lr"
type = "real"
low = 1e-5
high = 1
scale = "log"
initial = 1e-3
unit = "1/s"

[[parameter]]
name = "seed"
type = "integer"
low = 9007199254740993
high = 9007199254741003

[[parameter]]
name = "level"
type = "ordinal"
choices = [1, 2.5, "all"]

[[parameter]]
name = "Löser"
type = "categorical"
choices = ["cg", "gmres", "größe"]
initial = "größe"

[[parameter]]
name = "flag"
type = "boolean"
when = "Löser in ['cg', 'gmres'] || Löser == 'größe'"

[[constraint]]
expression = "lr < 0.5 || flag"
[[constraint]]
name = "memory"

[[objective]]
name = "accuracy"
direction = "maximize"
)";

TEST_F(SpaceFiles, ReadsEveryKindOfTable) {
  const SpaceFile read_back = read(kWhole);
  const auto& parameters = read_back.space.parameters();
  ASSERT_EQ(parameters.size(), 5u);
  EXPECT_EQ(parameters[0].name, "lr");
  EXPECT_EQ(parameters[0].high, 1);
  EXPECT_TRUE(parameters[0].log_scale);
  EXPECT_EQ(parameters[0].initial, json(1e-3));
  EXPECT_EQ(parameters[0].unit, "1/s");
  EXPECT_EQ(parameters[1].lowest(), 9007199254740993);
  EXPECT_EQ(parameters[1].cells(), 11);
  EXPECT_EQ(parameters[2].type, ParameterType::ordinal);
  EXPECT_EQ(parameters[2].choices, (std::vector<json>{1, 2.5, "all"}));
  EXPECT_EQ(parameters[3].type, ParameterType::categorical);
  EXPECT_EQ(parameters[4].type, ParameterType::boolean);
  EXPECT_EQ(parameters[4].when.parent, "Löser");
  EXPECT_EQ(parameters[4].when.values, (std::vector<json>{"cg", "gmres", "größe"}));
  ASSERT_EQ(read_back.space.constraints().size(), 1u);
  EXPECT_EQ(read_back.space.constraints()[0].text(), "lr < 0.5 || flag");
  EXPECT_EQ(read_back.reported_constraints, std::vector<std::string>{"memory"});
  ASSERT_EQ(read_back.objectives.size(), 1u);
  EXPECT_EQ(read_back.objectives[0].name, "accuracy");
  EXPECT_TRUE(read_back.objectives[0].maximise);
}

TEST_F(SpaceFiles, AnObjectiveIsImplied) {
  const SpaceFile plain = read("[[parameter]]\nname='x'\ntype='real'\nlow=0\nhigh=1\n");
  ASSERT_EQ(plain.objectives.size(), 1u);
  EXPECT_EQ(plain.objectives[0].name, "value");
  EXPECT_FALSE(plain.objectives[0].maximise);
}

TEST_F(SpaceFiles, RefusesWithTheLineAndAMend) {
  const std::string x = "[[parameter]]\nname = 'x'\ntype = 'real'\nlow = 0\nhigh = 1\n";  // lines 1 to 5
  EXPECT_EQ(
      refusal(x + "bogus = 1\n"),
      "6: parameter 'x': unknown key 'bogus' | keys of a parameter of type real are name, type, when, initial, unit, "
      "low, high, scale");
  EXPECT_EQ(refusal(x + "inital = 0.5\n"), "6: parameter 'x': unknown key 'inital' | did you mean 'initial'?");
  EXPECT_EQ(
      refusal(x + "choices = ['a']\n"),
      "6: parameter 'x': a parameter of type real has no choices | its keys are name, type, when, initial, unit, low, "
      "high, scale");
  EXPECT_EQ(refusal("[[parameters]]\nname = 'x'\n"), "1: unknown key 'parameters' | did you mean 'parameter'?");
  EXPECT_EQ(refusal("[parameter]\nname = 'x'\n"),
            "1: 'parameter' is not a list of tables | write each as [[parameter]]");
  EXPECT_EQ(refusal("# nothing\n"), ": the space has no parameter | describe each in a [[parameter]] table");
  EXPECT_EQ(refusal("[[parameter]]\ntype = 'real'\n"), "1: 'name' is missing | every parameter has a name");
  EXPECT_EQ(refusal("\n[[parameter]]\nname = 'x'\n"),
            "2: parameter 'x': 'type' is missing | types are real, integer, ordinal, categorical, boolean");
  EXPECT_EQ(refusal("[[parameter]]\nname = 'x'\ntype = 'reel'\n"),
            "3: parameter 'x': unknown type 'reel' | did you mean 'real'?");
  EXPECT_EQ(refusal("[[parameter]]\nname = 3\n"), "2: name is a whole number, not a text | put it in quotes");
  EXPECT_EQ(refusal("[[parameter]]\nname = 'x'\ntype = 'real'\nlow = 0\n"),
            "1: parameter 'x': 'high' is missing | give the bounds low and high");
  EXPECT_EQ(refusal("[[parameter]]\nname = 'x'\ntype = 'real'\nlow = '0'\nhigh = 1\n"),
            "4: parameter 'x': low is a text, not a number | write it without quotes");
  EXPECT_EQ(refusal("[[parameter]]\nname = 'x'\ntype = 'real'\nlow = 2\nhigh = 1\n"),
            "4: parameter 'x': its low 2 is not below its high 1 | exchange the two");
  EXPECT_EQ(refusal("[[parameter]]\nname = 'x'\ntype = 'real'\nlow = -inf\nhigh = 1\n"),
            "4: parameter 'x': its bounds -inf and 1 are not finite | ");
  EXPECT_EQ(refusal(x + "scale = 'log'\n"),
            "4: parameter 'x': its low 0 is not positive, as a log scale needs | raise low, or take the linear scale");
  EXPECT_EQ(refusal(x + "scale = 'logarithmic'\n"),
            "6: parameter 'x': unknown scale 'logarithmic' | it is one of linear, log");
  EXPECT_EQ(refusal(x + "initial = 2\n"), "6: parameter 'x': its initial value: 2 is not within [0, 1] | ");
  EXPECT_EQ(refusal(x + "initial = nan\n"),
            "6: parameter 'x': initial is not finite | values are numbers, texts, true or false");
  EXPECT_EQ(refusal(x + x), "7: parameter 'x': there are two parameters of this name | ");
  EXPECT_EQ(refusal("[[parameter]]\nname = 'c'\ntype = 'categorical'\nchoices = 'a'\n"),
            "4: parameter 'c': choices is not an array | list them: choices = [\"a\", \"b\"]");
  EXPECT_EQ(refusal("[[parameter]]\nname = 'c'\ntype = 'categorical'\nchoices = ['a', [1]]\n"),
            "4: parameter 'c': choices is an array | values are numbers, texts, true or false");
  EXPECT_EQ(refusal("[[parameter]]\nname = 'c'\ntype = 'ordinal'\nchoices = [1, 2, 1]\n"),
            "4: parameter 'c': the choice 1 is there twice | ");
  EXPECT_EQ(refusal(x + "[[constraint]]\nexpression = 'x <= y'\n"),
            "7: constraint 'x <= y': unknown name 'y' at character 6 | did you mean 'x'?");
  EXPECT_EQ(
      refusal(x + "[[constraint]]\n"),
      "6: a constraint has either an expression or a name | an expression is in the parameters; a name is of one that "
      "trials report");
  EXPECT_EQ(refusal(x + "[[constraint]]\nname='c'\n[[constraint]]\nname='c'\n"),
            "9: there are two constraints 'c' | name each once");
  EXPECT_EQ(refusal(x + "[[objective]]\nname = 'y'\ndirection = 'up'\n"),
            "8: objective 'y': unknown direction 'up' | it is one of minimize, maximize");
  EXPECT_EQ(refusal(x + "[[objective]]\n[[objective]]\n"), "7: there are two objectives 'value' | name each once");
  EXPECT_EQ(refusal(x + "high = 2\n").substr(0, 2), "6:");
  EXPECT_EQ(refusal("[[parameter]]\nname = \n").substr(0, 2), "2:");
}

TEST_F(SpaceFiles, RefusesConditionsAtTheirLine) {
  const std::string c = "[[parameter]]\nname = 'c'\ntype = 'categorical'\nchoices = ['a', 'b']\n";  // lines 1 to 4
  const auto with = [&](const std::string& when) {
    return refusal(c + "[[parameter]]\nname = 'f'\ntype = 'boolean'\nwhen = \"" + when + "\"\n");
  };
  EXPECT_EQ(with("c == 'a'"), "accepted");
  EXPECT_EQ(
      with("c == 'x'"),
      "8: parameter 'f': it depends on a value that is none of 'c' | parameter 'c': \"x\" is none of its choices; its "
      "choices are \"a\", \"b\"");
  EXPECT_EQ(with("d == 'a'"), "8: parameter 'f': it depends on 'd', which is no parameter | did you mean 'c'?");
  EXPECT_EQ(with("f"), "8: parameter 'f': conditions depend on each other in a cycle: f on f | ");
  EXPECT_EQ(with("c = 'a'"), "8: parameter 'f': when: a lone '=' at character 3 | equality is written ==");
  EXPECT_EQ(with("c == a"),
            "8: parameter 'f': when: a value expected, not 'a' at character 6 | texts stand in quotes: 'a'");
  EXPECT_EQ(
      with("c == 'a' && f"),
      "8: parameter 'f': when: '||' or the end expected, not '&&' at character 10 | make the parent itself conditional "
      "in place of 'and'");
  EXPECT_EQ(
      with("c == 'a' || f"),
      "8: parameter 'f': when: a second parent 'f' beside 'c' at character 13 | a parameter depends on one other");
  EXPECT_EQ(with("c != 'a'"),
            "8: parameter 'f': when: '!=' is not understood here at character 3 | list the values: name in "
            "['a', 'b']");
  EXPECT_EQ(with(""),
            "8: parameter 'f': when: a name expected, not the end at character 1 | write name == 'value', name in "
            "['a', 'b'], name or !name");
}

TEST_F(SpaceFiles, RefusesWhatIsNoFile) {
  EXPECT_THROW(read_space_file(folder_.path() / "none.toml"), Error);
  EXPECT_THROW(read_space_file(folder_.path()), Error);
  EXPECT_THROW(read(""), Error);
}

TEST(Condition, UnderstandsItsForms) {
  const auto values = [](const char* text) { return json(parse_condition(text).values).dump(); };
  EXPECT_EQ(parse_condition("n == -3").parent, "n");
  EXPECT_EQ(values("n == -3"), "[-3]");
  EXPECT_EQ(values("n in [1, 2.5, 'x', true]"), R"([1,2.5,"x",true])");
  EXPECT_EQ(values("f"), "[true]");
  EXPECT_EQ(values("!f"), "[false]");
  EXPECT_EQ(values("(n == 1 || n == 2) || n in [2, 3]"), "[1,2,3]");
  EXPECT_EQ(values("s == \"it's\""), R"(["it's"])");
}

}  // namespace
}  // namespace tempera
