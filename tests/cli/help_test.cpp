#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/text.hpp"
#include "core/bayesopt/objectives.hpp"
#include "core/sampling/explorers/explorers.hpp"
#include "core/sampling/targets/targets.hpp"
#include "tests/support/data.hpp"
#include "tests/support/process.hpp"

namespace tempera {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::filesystem::path> pages() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(TEMPERA_SOURCE_DIR "/drivers/guide"))
    if (entry.path().extension() == ".md" && entry.path().filename() != "README.md") found.push_back(entry.path());
  return found;
}

TEST(Help, ListsEveryPageByItsHeadingAndEveryCommand) {
  const auto list = test::tempera({"help"});
  EXPECT_EQ(list.status, 0);
  EXPECT_EQ(list.err, "");
  EXPECT_GE(pages().size(), 2U);
  for (const auto& page : pages()) {
    const std::string text = test::read_text(page);
    ASSERT_THAT(text, StartsWith("# "));
    const std::string heading = text.substr(2, text.find('\n') - 2);
    EXPECT_EQ(test::occurrences(list.out, "\n  " + page.stem().string() + " "), 1) << list.out;
    EXPECT_EQ(test::occurrences(list.out, "  " + heading + "\n"), 1) << list.out;
  }
  for (const char* command : {"convert", "decompose", "doctor", "help", "resume", "sample", "status"})
    EXPECT_EQ(test::occurrences(list.out, std::string("\n  ") + command + " "), 1) << list.out;
}

TEST(Help, PrintsAPageAsItIsWithinAHundredColumns) {
  for (const auto& page : pages()) {
    const auto shown = test::tempera({"help", page.stem()});
    EXPECT_EQ(shown.status, 0);
    EXPECT_EQ(shown.err, "");
    const bool with_list = page.stem() == "targets" || page.stem() == "explorers" || page.stem() == "objectives";
    EXPECT_THAT(shown.out, StartsWith(test::read_text(page)));
    EXPECT_EQ(shown.out.size() > std::filesystem::file_size(page), with_list) << page;
    for (std::size_t line = 0; line < shown.out.size(); line = shown.out.find('\n', line) + 1)
      EXPECT_LE(display_width(shown.out.substr(line, shown.out.find('\n', line) - line)), 100)
          << page << ": " << shown.out.substr(line, 100);
  }
}

TEST(Help, ListsEveryTargetAndExplorerWithItsSettings) {
  const std::string targets = test::tempera({"help", "targets"}).out;
  for (const TargetDescription& target : describe_targets()) {
    EXPECT_THAT(targets, HasSubstr("\n## " + target.name + ": " + target.summary + "\n"));
    for (const TargetSetting& setting : target.settings)
      EXPECT_THAT(targets, HasSubstr("\n    " + setting.name + "=" + setting.default_value + " "));
    for (const DataField& field : target.data) EXPECT_THAT(targets, HasSubstr("\n    " + field.name + " "));
  }
  const std::string objectives = test::tempera({"help", "objectives"}).out;
  for (const ObjectiveDescription& objective : describe_objectives())
    EXPECT_THAT(objectives, HasSubstr("\n## " + objective.name + ": " + objective.summary + "\n"));
  const std::string explorers = test::tempera({"help", "explorers"}).out;
  for (const ExplorerDescription& explorer : describe_explorers()) {
    EXPECT_THAT(explorers, HasSubstr("\n## " + explorer.name + ": " + explorer.summary + "\n"));
    for (const NamedSetting& setting : explorer.settings)
      EXPECT_THAT(explorers, HasSubstr("\n    " + setting.name + "=" + setting.default_value + " "));
  }
}

TEST(Help, OfACommandIsItsOwn) {
  for (const char* command : {"decompose", "help", "sample"}) {
    const auto shown = test::tempera({"help", command});
    EXPECT_EQ(shown.status, 0);
    EXPECT_EQ(shown.out, test::tempera({command, "--help"}).out);
    EXPECT_THAT(shown.out, StartsWith(std::string("tempera ") + command + ": "));
  }
}

TEST(Help, OfWhatIsNotThereNamesTheNearest) {
  const auto expect = [](const std::vector<std::string>& arguments, const std::string& message) {
    const auto result = test::tempera(arguments);
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err, "tempera: error: " + message + "\n");
  };
  expect({"help", "durabilty"}, "unknown topic 'durabilty'\nhint: did you mean 'durability'?");
  expect({"help", "decompos"}, "unknown topic 'decompos'\nhint: did you mean 'decompose'?");
  expect({"help", "xyzzy"}, "unknown topic 'xyzzy'\nhint: see 'tempera help'");
  expect({"help", "README"}, "unknown topic 'README'\nhint: see 'tempera help'");
  expect({"help", "durability", "now"}, "unexpected argument 'now'\nhint: see 'tempera help --help'");
}

TEST(Help, OfAJobIsPrintedOnce) {
  const auto shown = test::tempera_ranks(3, {"help", "durability"});
  EXPECT_EQ(shown.status, 0);
  EXPECT_EQ(shown.out, test::tempera({"help", "durability"}).out);
}

TEST(Help, SaysWhatIsLostAfterEachFault) {
  const std::string page = test::tempera({"help", "durability"}).out;
  for (const char* fault : {"SIGUSR1", "SIGTERM", "SIGKILL", "loses power", "disk is full", "or fails", "damaged",
                            "folder is removed", "before the first checkpoint", "--time-limit", "network file systems"})
    EXPECT_THAT(page, HasSubstr(fault));
}

}  // namespace
}  // namespace tempera
