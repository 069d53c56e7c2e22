#include "core/io/json_data.hpp"

#include "tests/unit/io/io_fixture.hpp"

namespace tempera {
namespace {

using testing::ElementsAre;

class JsonDataTest : public test::IoTest {
 protected:
  /// The whole message with which something is refused that is done with these data.
  template <class Action>
  std::string refused(const std::string& text, Action action) const {
    return refusal([&] {
      JsonData data = JsonData::read(file("in.json", text), "the form");
      action(data);
    });
  }
  std::string refused(const std::string& text) const {
    return refused(text, [](JsonData&) {});
  }
};

const std::string kStart = "tempera: error: in.json: ";

TEST_F(JsonDataTest, ReadsNumbersOfAllShapes) {
  JsonData data = JsonData::read(
      file("good.json", R"({"N": 2, "big": 8.0, "x": -1e-300, "y": [1, 2.5], "J": [3, 4.0], "none": [], "X": [[1, 2, 3],
        [4, 5.5, -6]], "cube": [[[1, 2]], [[3, 4]]], "one": [[7]]})"));
  EXPECT_EQ(data.integer("N", {.minimum = 2, .maximum = 2}), 2);
  EXPECT_EQ(data.integer("big"), 8);
  EXPECT_EQ(data.real("x"), -1e-300);
  EXPECT_EQ(data.real("N"), 2);
  EXPECT_THAT(data.numbers("y", {2}), ElementsAre(1, 2.5));
  EXPECT_THAT(data.integers("J", {2}, {.minimum = 3}), ElementsAre(3, 4));
  EXPECT_TRUE(data.numbers("none", {0}).empty());
  EXPECT_THAT(data.numbers("X", {2, 3}), ElementsAre(1, 2, 3, 4, 5.5, -6));
  EXPECT_THAT(data.integers("cube", {2, 1, 2}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(data.numbers("one", {1, 1}), ElementsAre(7));
  EXPECT_TRUE(data.has("cube"));
  EXPECT_FALSE(data.has("Cube"));
  data.refuse_unused();
}

TEST_F(JsonDataTest, TellsSizesThatAreLeftOut) {
  const std::string text = R"({"y": [1, 2.5], "X": [[1, 2, 3], [4]], "K": 7, "none": [], "flat": [1]})";
  JsonData data(text, "text");
  EXPECT_EQ(data.length("y"), 2);
  EXPECT_EQ(data.length("X", 1), 3);
  EXPECT_EQ(data.length("none", 1), 0);
  EXPECT_EQ(data.size("N", "y"), 2);
  EXPECT_EQ(data.size("K", "X", 1), 7);
  EXPECT_EQ(data.size("L", "X", 1), 3);
  EXPECT_EQ(refused(text, [](JsonData& in) { in.size("N", "none"); }),
            kStart + "field 'none': an array without entries\nhint: the form");
  EXPECT_EQ(refused(text, [](JsonData& in) { in.size("N", "flat", 1); }),
            kStart + "field 'flat': row 1 of 1 is 1, not an array\nhint: the form");
  EXPECT_EQ(refused(text, [](JsonData& in) { in.size("N", "K"); }),
            kStart + "field 'K': expected an array, found 7\nhint: the form");
}

TEST_F(JsonDataTest, SyntaxErrorsNameTheirLine) {
  EXPECT_EQ(refused("{\n\"y\": [1,\n 2,\n}"), "tempera: error: in.json:4: is not valid JSON here\nhint: the form");
  EXPECT_EQ(refused("{\n\"y\": 1"), "tempera: error: in.json:2: is not valid JSON here\nhint: the form");
  EXPECT_EQ(refused("{\"y\": 1} // why"), "tempera: error: in.json:1: is not valid JSON here\nhint: the form");
  const std::string hint = "\nhint: leave out what is missing; densities need finite numbers";
  EXPECT_EQ(refused("{\"y\":\n [1, NaN]}"), "tempera: error: in.json:2: 'NaN' is not a number of JSON" + hint);
  EXPECT_EQ(refused("{\"y\": nan}"), "tempera: error: in.json:1: 'nan' is not a number of JSON" + hint);
  EXPECT_EQ(refused("{\"y\":\n\n-Infinity}"), "tempera: error: in.json:3: '-Infinity' is not a number of JSON" + hint);
  EXPECT_EQ(refused("{\"y\": 1e999}"), kStart + "is not valid JSON (number overflow parsing '1e999')\nhint: the form");
  EXPECT_EQ(refused("{\"y\": 1, \"x\": 2, \"y\": 3}"), kStart + "the key \"y\" comes twice\nhint: the form");
  EXPECT_EQ(refused("[1, 2]"), kStart + "expected an object with fields, found an array of 2\nhint: the form");
  EXPECT_EQ(refused(""), kStart + "the file is empty\nhint: check that it was written completely");
  EXPECT_EQ(refusal([&] { JsonData::read(path("absent.json")); }).substr(0, 29), "tempera: error: absent.json: ");
}

TEST_F(JsonDataTest, ScalarsOfAnotherKindAreRefused) {
  const std::string text = R"({"N": 2.5, "M": [1], "s": "1", "b": true, "o": {}, "n": null, "z": 0, "huge": 1e300})";
  const auto integer = [&](const std::string& name) {
    return refused(text, [&](JsonData& data) { data.integer(name, {.minimum = 1}); });
  };
  EXPECT_EQ(integer("N"), kStart + "field 'N': expected a whole number, found 2.5\nhint: the form");
  EXPECT_EQ(integer("huge"), kStart + "field 'huge': expected a whole number, found 1e+300\nhint: the form");
  EXPECT_EQ(integer("M"), kStart + "field 'M': expected a whole number, found an array of 1\nhint: the form");
  EXPECT_EQ(integer("o"), kStart + "field 'o': expected a whole number, found an object\nhint: the form");
  EXPECT_EQ(integer("s"),
            kStart + "field 's': expected a whole number, found a string\nhint: write numbers without quotes");
  EXPECT_EQ(integer("b"), kStart + "field 'b': expected a whole number, found true\nhint: write 1 or 0");
  EXPECT_EQ(integer("n"), kStart +
                              "field 'n': expected a whole number, found null\n"
                              "hint: a missing value cannot be left open: leave out what belongs to it");
  EXPECT_EQ(integer("z"), kStart + "field 'z': 0 is out of range: at least 1 expected\nhint: the form");
  EXPECT_EQ(refused(text, [](JsonData& data) { data.real("M"); }),
            kStart + "field 'M': expected a number, found an array of 1\nhint: the form");
  EXPECT_EQ(refused(text, [](JsonData& data) { data.real("z", {.minimum = 0, .minimum_excluded = true}); }),
            kStart + "field 'z': 0 is out of range: above 0 expected\nhint: the form");
}

TEST_F(JsonDataTest, ArraysThatDoNotFitAreRefused) {
  const auto numbers = [&](const std::string& value, std::initializer_list<Index> shape) {
    return refused("{\"y\": " + value + "}", [&](JsonData& data) { data.numbers("y", shape, {.maximum = 100}); });
  };
  const std::string start = kStart + "field 'y': ", form = "\nhint: the form";
  EXPECT_EQ(numbers("[1,2,3,4,5,6,7]", {8}), start + "expected an array of 8 numbers, found 7" + form);
  EXPECT_EQ(numbers("[1, 2]", {1}), start + "expected an array of 1 number, found 2" + form);
  EXPECT_EQ(numbers("3", {1}), start + "expected an array of 1 number, found the number 3" + form);
  EXPECT_EQ(numbers("[[1], [2]]", {2}), start + "entry 1 of 2 is an array of 1, not a number" + form);
  EXPECT_EQ(numbers("[1, null, 3]", {3}),
            start +
                "entry 2 of 3 is null, not a number\n"
                "hint: a missing value cannot be left open: leave out what belongs to it");
  EXPECT_EQ(numbers("[1, \"NaN\"]", {2}),
            start + "entry 2 of 2 is a string, not a number\nhint: write numbers without quotes");
  EXPECT_EQ(numbers("[1, 2, 101]", {3}), start + "entry 3 of 3 is 101: at most 100 expected" + form);
  EXPECT_EQ(numbers("[[1, 2], [3, 4]]", {3, 2}), start + "expected an array of 3 rows, found 2" + form);
  EXPECT_EQ(numbers("[[1, 2], [3], [5, 6]]", {3, 2}), start + "row 2 of 3 has 1 entries, not 2" + form);
  EXPECT_EQ(numbers("[[1, 2], 3]", {2, 2}), start + "row 2 of 2 is 3, not an array of 2 numbers" + form);
  EXPECT_EQ(numbers("[[1, 2], [3, false]]", {2, 2}),
            start + "row 2 of 2: entry 2 of 2 is false, not a number\nhint: write 1 or 0");
  EXPECT_EQ(numbers("[[[1], [2]], [[3], [4, 5]]]", {2, 2, 1}),
            start + "row 2 of 2: row 2 of 2 has 2 entries, not 1" + form);
  EXPECT_EQ(refused("{\"J\": [1, 2.5]}", [](JsonData& data) { data.integers("J", {2}); }),
            kStart + "field 'J': entry 2 of 2 is 2.5, not a whole number" + form);
  EXPECT_EQ(refused("{\"J\": [1, 5]}", [](JsonData& data) { data.integers("J", {2}, {.minimum = 1, .maximum = 4}); }),
            kStart + "field 'J': entry 2 of 2 is 5: from 1 to 4 expected" + form);
}

TEST_F(JsonDataTest, MissingAndUnknownFieldsComeWithTheNearestName) {
  const auto read = [](JsonData& data) {
    data.size("N", "effect");
    data.numbers("effect", {2});
    data.numbers("sigma", {2});
    data.refuse_unused();
  };
  EXPECT_EQ(refused(R"({"effect": [1, 2], "sigma": [1, 2]})", read), "accepted");
  EXPECT_EQ(refused(R"({"effect": [1, 2], "sgima": [1, 2]})", read),
            kStart + "field 'sigma' is missing\nhint: the file has 'sgima': is that 'sigma'?");
  EXPECT_EQ(refused(R"({"effect": [1, 2], "Sigma": [1, 2]})", read),
            kStart + "field 'sigma' is missing\nhint: the file has 'Sigma': is that 'sigma'?");
  EXPECT_EQ(refused(R"({"effect": [1, 2], "x": [1, 2]})", read), kStart + "field 'sigma' is missing\nhint: the form");
  EXPECT_EQ(refused(R"({"effect": [1, 2], "sigma": [1, 2], "n": 2})", read),
            kStart + "unknown field 'n'\nhint: did you mean 'N'?");
  EXPECT_EQ(refused(R"({"effect": [1, 2], "sigma": [1, 2], "efect": 2})", read),
            kStart + "unknown field 'efect'\nhint: did you mean 'effect'?");
  EXPECT_EQ(refused(R"({"effect": [1, 2], "sigma": [1, 2], "x": 2})", read),
            kStart + "unknown field 'x'\nhint: the form");
  JsonData data(R"({"b": 1, "a": 2, "c": 3})", "text");
  data.real("a");
  EXPECT_THAT(data.unused(), ElementsAre("b", "c"));
}

}  // namespace
}  // namespace tempera
