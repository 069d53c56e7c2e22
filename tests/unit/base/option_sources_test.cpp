#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/option_help.hpp"
#include "core/base/option_json.hpp"
#include "core/base/option_toml.hpp"
#include "core/base/text.hpp"
#include "tests/support/data.hpp"
#include "tests/unit/base/option_fixture.hpp"

namespace tempera {
namespace {

std::string toml_refusal(const std::string& text) {
  const test::TemporaryFolder folder;
  const auto file = test::write_text(folder / "bake.toml", text);
  BakeCommand bake;
  try {
    apply_toml(bake.schema, file);
  } catch (const Error& error) {
    std::string message = error.message();
    if (const auto at = message.find(file.string()); at != std::string::npos)
      message.replace(at, file.string().size(), "FILE");
    return exit_status(error.category()) == 2 ? message : "not a usage error";
  }
  return "";
}

TEST(OptionToml, EveryTypeIsRead) {
  const test::TemporaryFolder folder;
  const auto file = test::write_text(folder / "bake.toml",
                                     "input = \"dough\"\nmethod = 'steam'\nloaves = 2\ntolerance = 0\n"
                                     "guests = 'auto'\nrest = '2m'\ndims = [1, 2]\ntopping = ['salt', 'oil']\n"
                                     "overwrite = true\n");
  BakeCommand bake;
  bake.options.guests = 1;
  apply_toml(bake.schema, file);
  EXPECT_EQ(bake.options.input, "dough");
  EXPECT_EQ(bake.options.method, "steam");
  EXPECT_EQ(bake.options.loaves, 2);
  EXPECT_EQ(bake.options.tolerance, 0);
  EXPECT_EQ(bake.options.guests, std::nullopt);
  EXPECT_EQ(bake.options.rest, 120);
  EXPECT_EQ(bake.options.dims, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(bake.options.toppings, (std::vector<std::string>{"salt", "oil"}));
  EXPECT_TRUE(bake.options.overwrite);
  EXPECT_EQ(bake.schema.find("overwrite")->set_by(), file.string() + ":9");
}

TEST(OptionToml, EachMistakeHasItsLineAndMessage) {
  const std::string see = "\nhint: see 'tempera bake --help'";
  const std::pair<std::string, std::string> cases[] = {
      {"loaves = 1\n\nlovaes = 3\n", "FILE:3: unknown key 'lovaes'\nhint: did you mean 'loaves'?"},
      {"config = 'x'\n", "FILE:1: unknown key 'config'\nhint: keys are the long options of 'tempera bake --help'"},
      {"[loaves]\nx = 1\n", "FILE:1: loaves: a whole number expected, not a table" + see},
      {"# bread\nloaves = 'four'\n", "FILE:2: loaves: a whole number expected, not text" + see},
      {"loaves = 4.0\n", "FILE:1: loaves: a whole number expected, not a number" + see},
      {"loaves = 0\n", "FILE:1: loaves: 0 is out of range: at least 1 expected" + see},
      {"overwrite = 'true'\n", "FILE:1: overwrite: true or false expected, not text" + see},
      {"tolerance = inf\n", "FILE:1: tolerance: 'inf' is not a number" + see},
      {"rest = 60\n", "FILE:1: rest: a duration such as 60s, 30m or 2h expected, not a number" + see},
      {"dims = [1, 'a']\n", "FILE:1: dims: a list of whole numbers such as 10,20,30 expected, not text" + see},
      {"method = 'frying'\n", "FILE:1: method: 'frying' is not one of oven, pan, steam" + see},
      {"input = 1979-05-27\n", "FILE:1: input: a path expected, not a date or time" + see},
  };
  for (const auto& [text, message] : cases) EXPECT_EQ(toml_refusal(text), "tempera: error: " + message);
  const std::string syntax = toml_refusal("loaves = 1\nrest 60\n");
  EXPECT_TRUE(syntax.starts_with("tempera: error: FILE:2: ")) << syntax;
}

TEST(OptionToml, AFolderIsRefused) {
  const test::TemporaryFolder folder;
  BakeCommand bake;
  EXPECT_EQ(bake.refusal({"x", "--config", folder.path().string()}),
            "tempera: error: " + folder.path().string() +
                ": cannot be read: Is a directory\nhint: name a TOML file inside it");
}

TEST(OptionToml, AValueHiddenByTheCommandLineIsStillChecked) {
  const test::TemporaryFolder folder;
  const auto file = test::write_text(folder / "bake.toml", "loaves = 0\n");
  EXPECT_EQ(BakeCommand().refusal({"x", "--loaves", "2", "--config", file.string()}),
            "tempera: error: " + file.string() +
                ":1: loaves: 0 is out of range: at least 1 expected\nhint: see 'tempera bake --help'");
}

TEST(OptionHelp, ShowsGroupsUnitsDefaultsRangesChoicesAndTheExample) {
  EXPECT_EQ(help_text(BakeCommand().schema), R"(tempera bake: turn dough into bread

usage: tempera bake INPUT [options]

Arguments:
  INPUT           the dough

Baking:
  --method NAME   where it is baked [one of oven, pan, steam; default oven]
  --loaves N      number of loaves [at least 1; default 16]
  --shelves N     shelves of the oven [default 1]
  --tolerance X   change of colour that ends the baking [at least 0 and below 1; default 1e-06]
  --guests N      number of guests [at least 1; default auto]
  --rest TIME     time to rest before the oven [at most 7200s; default 90s]
  --dims N,N,...  sizes of the tin [in millimetres; at least 1]
  --topping TEXT  what goes on top [repeatable]

Files:
  --output RUN    folder of the results [default runs/bake-<date>]
  --overwrite     replace an existing folder
  --config FILE   TOML file with values for these options

  --help          this text

Example:
  tempera bake dough.txt --loaves 4
)");
}

TEST(OptionHelp, WrapsAtAHundredColumnsUnderTheText) {
  bool flag = false;
  std::string value;
  OptionSchema schema("bake", "bread");
  std::string words = "word";
  for (int i = 0; i < 60; ++i) words += " wörd";
  schema.flag("short", flag).help(words);
  schema.text("an-option-with-a-very-long-name", value).metavar("A-LONG-PLACEHOLDER").help(words);
  std::string rest = help_text(schema);
  int lines = 0;
  while (!rest.empty()) {
    const std::string line = rest.substr(0, rest.find('\n'));
    rest.erase(0, line.size() + 1);
    EXPECT_LE(display_width(line), 100) << line;
    if (line.find("wörd") != std::string::npos) {
      EXPECT_EQ(line.find_first_of('w'), std::string("  --short  ").size()) << line;
      ++lines;
    }
  }
  EXPECT_EQ(lines, 8);
}

TEST(OptionHelp, ALongExampleGoesOnTheWayAShellTakesIt) {
  OptionSchema schema("bake", "bread");
  const std::string half(60, 'x');
  schema.example(half + " " + half);
  EXPECT_TRUE(help_text(schema).ends_with("\nExample:\n  " + half + " \\\n    " + half + "\n")) << help_text(schema);
}

TEST(OptionJson, HoldsResolvedValuesAndWhoSetThem) {
  BakeCommand bake;
  bake.parse({"dough.txt", "--dims", "1,2", "--topping", "salt"});
  EXPECT_EQ(
      options_to_json(bake.schema).dump(),
      R"({"values":{"input":"dough.txt","method":"oven","loaves":16,"shelves":1,"tolerance":1e-06,)"
      R"("guests":"auto","rest":"90s","dims":[1,2],"topping":["salt"],"output":"","overwrite":false,"config":""},)"
      R"("set_by":{"input":"command line","dims":"command line","topping":"command line"}})");
}

}  // namespace
}  // namespace tempera
