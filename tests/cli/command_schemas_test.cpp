#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/option_help.hpp"
#include "drivers/commands/commands.hpp"
#include "tests/support/process.hpp"

namespace tempera::drivers {
namespace {

TEST(CommandSchemas, AreWhatEachCommandItselfIsToldWith) {
  for (const Command& command : commands()) {
    ASSERT_NE(command.schemas, nullptr) << command.name;
    const std::vector<CommandSchema> schemas = command.schemas();
    ASSERT_FALSE(schemas.empty()) << command.name;
    EXPECT_EQ(help_text(*schemas.front().schema), test::tempera({std::string(command.name), "--help"}).out);
    for (const CommandSchema& schema : schemas) {
      const bool first = &schema == &schemas.front();
      // 'plan' names the engine, 'resume' finds it in the folder of the run.
      EXPECT_EQ(schema.schema->command(),
                std::string(command.name) + (command.name == "plan" && !first ? " " + schema.runs_of : ""));
      EXPECT_EQ(schema.runs_of.empty(), schemas.size() == 1) << command.name;
    }
  }
}

TEST(CommandSchemas, OfResumeThereIsOneForEachCommandWhoseRunsGoOn) {
  std::vector<std::string> commands_with_runs;
  for (const Command& command : commands())
    if (command.name == "resume")
      for (const CommandSchema& schema : command.schemas()) commands_with_runs.push_back(schema.runs_of);
  EXPECT_THAT(commands_with_runs, testing::ElementsAre("decompose", "sample", "optimize", "run"));
}

TEST(CommandSchemas, OfPlanThereIsOneForEachEngineAsItsHelpSays) {
  for (const Command& command : commands()) {
    if (command.name != "plan") continue;
    for (const CommandSchema& schema : command.schemas())
      EXPECT_EQ(help_text(*schema.schema), test::tempera({"plan", schema.runs_of, "--help"}).out);
  }
}

TEST(CommandSchemas, KnowTheWordsOfTextsThatNameSomething) {
  const auto words = [](std::string_view name, std::string_view option) {
    for (const Command& command : commands())
      if (command.name == name) return command.schemas().front().schema->find(option)->known_words();
    return std::vector<std::string>();
  };
  using testing::Contains;
  EXPECT_THAT(words("decompose", "loss"), Contains("poisson"));
  EXPECT_THAT(words("decompose", "constraint"), Contains("nonnegative"));
  EXPECT_THAT(words("decompose", "time-limit"), testing::ElementsAre("auto", "none"));
  EXPECT_THAT(words("sample", "target"), Contains("eight-schools"));
  EXPECT_THAT(words("sample", "explorer"), Contains("slice"));
  EXPECT_THAT(words("optimize", "objective"), Contains("branin"));
  EXPECT_THAT(words("help", "topic"), testing::IsSupersetOf({"durability", "decompose"}));
  EXPECT_THAT(words("run", "ranks"), testing::IsEmpty()) << "'those of the job' is nothing to type";
}

}  // namespace
}  // namespace tempera::drivers
