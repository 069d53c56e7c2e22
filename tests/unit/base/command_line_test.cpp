#include "core/base/command_line.hpp"

#include <gtest/gtest.h>

#include "tests/support/data.hpp"
#include "tests/unit/base/option_fixture.hpp"

namespace tempera {
namespace {

using Texts = std::vector<std::string>;
using Integers = std::vector<std::int64_t>;

TEST(CommandLine, EveryTypeIsReadInBothSpellings) {
  BakeCommand bake;
  EXPECT_EQ(bake.parse({"--method=pan", "--loaves", "4", "dough.txt", "--shelves=3", "--tolerance", "0.5", "--guests",
                        "12", "--rest", "1h30m", "--dims", "10,20,30", "--topping", "salt", "--topping=seeds",
                        "--output", "here", "--overwrite"}),
            CommandLineOutcome::run);
  EXPECT_EQ(bake.options.input, "dough.txt");
  EXPECT_EQ(bake.options.method, "pan");
  EXPECT_EQ(bake.options.loaves, 4);
  EXPECT_EQ(bake.options.shelves, 3);
  EXPECT_EQ(bake.options.tolerance, 0.5);
  EXPECT_EQ(bake.options.guests, 12);
  EXPECT_EQ(bake.options.rest, 5400);
  EXPECT_EQ(bake.options.dims, (Integers{10, 20, 30}));
  EXPECT_EQ(bake.options.toppings, (Texts{"salt", "seeds"}));
  EXPECT_EQ(bake.options.output, "here");
  EXPECT_TRUE(bake.options.overwrite);
}

TEST(CommandLine, DefaultsHoldWhereNothingIsGiven) {
  BakeCommand bake;
  bake.parse({"dough.txt"});
  EXPECT_EQ(bake.options.loaves, 16);
  EXPECT_EQ(bake.options.guests, std::nullopt);
  EXPECT_FALSE(bake.options.overwrite);
  EXPECT_EQ(bake.schema.find("loaves")->set_by(), "");
  EXPECT_EQ(bake.schema.find("input")->set_by(), "command line");
}

TEST(CommandLine, AbsentWordNegativeNumbersAndDashedPositionalsAreUnderstood) {
  BakeCommand bake;
  bake.options.guests = 5;
  bake.parse({"--guests", "auto", "--shelves", "-3", "--overwrite=false", "--", "-dough.txt"});
  EXPECT_EQ(bake.options.guests, std::nullopt);
  EXPECT_EQ(bake.options.shelves, -3);
  EXPECT_FALSE(bake.options.overwrite);
  EXPECT_EQ(bake.options.input, "-dough.txt");
}

TEST(CommandLine, HelpIsSeenAnywhereAndAssignsNothing) {
  BakeCommand bake;
  EXPECT_EQ(bake.parse({"--loaves", "no number", "--help"}), CommandLineOutcome::help);
  EXPECT_EQ(bake.parse({"-h"}), CommandLineOutcome::help);
  EXPECT_EQ(bake.options.loaves, 16);
}

TEST(CommandLine, DurationsTakeUnitsAndSumsOfThem) {
  const std::pair<const char*, double> cases[] = {{"250ms", 0.25}, {"60s", 60},      {"1.5m", 90}, {"30min", 1800},
                                                  {"2h", 7200},    {"1h2m3s", 3723}, {"0s", 0},    {"1e3s", 1000}};
  for (const auto& [text, seconds] : cases) {
    BakeCommand bake;
    bake.parse({"x", "--rest", text});
    EXPECT_DOUBLE_EQ(bake.options.rest, seconds) << text;
  }
}

TEST(CommandLine, EachMistakeHasItsMessage) {
  const std::string see = "\nhint: see 'tempera bake --help'";
  const std::pair<Texts, std::string> cases[] = {
      {{"x", "--loafs", "3"}, "unknown option --loafs\nhint: did you mean --loaves?"},
      {{"x", "--loafs=3"}, "unknown option --loafs\nhint: did you mean --loaves?"},
      {{"x", "--tol", "3"}, "unknown option --tol\nhint: did you mean --tolerance?"},
      {{"x", "--zzzzzz"}, "unknown option --zzzzzz" + see},
      {{"x", "-q"}, "unknown option -q" + see},
      {{"x", "y"}, "unexpected argument 'y'" + see},
      {{}, "INPUT is missing" + see},
      {{"x", "--loaves"}, "--loaves: its value is missing" + see},
      {{"x", "--loaves", "--overwrite"}, "--loaves: its value is missing" + see},
      {{"x", "--loaves", "1", "--loaves", "1"}, "--loaves: given 2 times, but it takes one value" + see},
      {{"x", "--overwrite", "--overwrite"}, "--overwrite: given 2 times, but it takes one value" + see},
      {{"x", "--overwrite=maybe"}, "--overwrite: 'maybe' is not true or false" + see},
      {{"x", "--loaves", "four"}, "--loaves: 'four' is not a whole number" + see},
      {{"x", "--loaves", "4.5"}, "--loaves: '4.5' is not a whole number" + see},
      {{"x", "--loaves", "99999999999999999999"}, "--loaves: '99999999999999999999' is not a whole number" + see},
      {{"x", "--loaves="}, "--loaves: its value is missing" + see},
      {{"x", "--loaves", "0"}, "--loaves: 0 is out of range: at least 1 expected" + see},
      {{"x", "--shelves", "3000000000"}, "--shelves: 3000000000 is too large a number" + see},
      {{"x", "--tolerance", "1"}, "--tolerance: 1 is out of range: at least 0 and below 1 expected" + see},
      {{"x", "--tolerance", "nan"}, "--tolerance: 'nan' is not a number" + see},
      {{"x", "--tolerance", "0.1x"}, "--tolerance: '0.1x' is not a number" + see},
      {{"x", "--guests", "none"}, "--guests: 'none' is not a whole number or 'auto'" + see},
      {{"x", "--method", "oen"}, "--method: 'oen' is not one of oven, pan, steam\nhint: did you mean 'oven'?"},
      {{"x", "--method", "microwave"}, "--method: 'microwave' is not one of oven, pan, steam" + see},
      {{"x", "--dims", "10,,30"}, "--dims: '10,,30' is not a list of whole numbers such as 10,20,30" + see},
      {{"x", "--dims", "10,0"}, "--dims: 0 is out of range: at least 1 expected" + see},
      {{"x", "--rest", "60"}, "--rest: '60' is not a duration such as 60s, 30m or 2h" + see},
      {{"x", "--rest", "-1s"}, "--rest: '-1s' is not a duration such as 60s, 30m or 2h" + see},
      {{"x", "--rest", "3h"}, "--rest: 10800s is out of range: at most 7200s expected" + see},
      {{"x", "--config", "/nowhere/bake.toml"},
       "/nowhere/bake.toml: cannot be read: No such file or directory\nhint: check the path, which is relative to the "
       "working directory, and its permissions"},
  };
  for (const auto& [arguments, message] : cases)
    EXPECT_EQ(BakeCommand().refusal(arguments), "tempera: error: " + message);
}

TEST(CommandLine, TakesPrecedenceOverTheConfigFileWhichTakesItOverDefaults) {
  const test::TemporaryFolder folder;
  const auto file = test::write_text(folder / "bake.toml", "loaves = 3\nshelves = 7\ninput = 'from file'\n");
  BakeCommand bake;
  bake.parse({"--loaves", "5", "--config", file.string()});
  EXPECT_EQ(bake.options.loaves, 5);
  EXPECT_EQ(bake.options.shelves, 7);
  EXPECT_EQ(bake.options.input, "from file");
  EXPECT_EQ(bake.options.tolerance, 1e-6);
  EXPECT_EQ(bake.schema.where("loaves"), "--loaves");
  EXPECT_EQ(bake.schema.where("shelves"), file.string() + ":2: shelves");
}

TEST(CommandLine, AListPositionalTakesAllThatIsLeft) {
  Texts files;
  bool flag = false;
  OptionSchema schema("convert", "between formats");
  schema.positional("files", OptionKind::texts, files).required();
  schema.flag("ngrams", flag);
  const Texts arguments{"a", "b", "--ngrams", "c"};
  parse_command_line(schema, arguments);
  EXPECT_EQ(files, (Texts{"a", "b", "c"}));
  EXPECT_TRUE(flag);
}

}  // namespace
}  // namespace tempera
