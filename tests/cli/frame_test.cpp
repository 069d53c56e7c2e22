#include <gtest/gtest.h>

#include "core/base/build_info.hpp"
#include "core/base/text.hpp"
#include "tests/support/process.hpp"

namespace tempera {
namespace {

using test::occurrences;
using test::tempera_ranks;
using Texts = std::vector<std::string>;

void expect_refusal(const Texts& arguments, const std::string& message) {
  const auto result = test::tempera(arguments);
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "tempera: error: " + message + "\n");
}

TEST(CommandLineFrame, VersionNamesWhatItWasBuiltFrom) {
  const auto result = test::tempera({"--version"});
  const BuildInfo& build = build_info();
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out, "tempera " + std::string(build.version) + " (" + std::string(build.git_hash) + ", " +
                            std::string(build.build_type) + ", " + std::string(build.compiler) + ")\n");
}

TEST(CommandLineFrame, HelpListsTheCommands) {
  for (const char* word : {"--help", "-h"}) {
    const auto result = test::tempera({word});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.err, "");
    EXPECT_TRUE(result.out.starts_with("tempera: tensors, ")) << result.out;
    EXPECT_EQ(occurrences(result.out, "usage: tempera COMMAND [arguments]\n"), 1);
    EXPECT_EQ(occurrences(result.out, "\n  doctor"), 1);
  }
}

TEST(CommandLineFrame, WithoutArgumentsTheOverviewIsAnErrorOfUsage) {
  const auto result = test::tempera({});
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, test::tempera({"--help"}).out);
}

TEST(CommandLineFrame, EveryCommandExplainsItselfWithinAHundredColumns) {
  const std::string overview = test::tempera({"--help"}).out;
  std::size_t at = overview.find("Commands:\n");
  ASSERT_NE(at, std::string::npos);
  int commands = 0;
  for (at = overview.find('\n', at) + 1; overview.compare(at, 2, "  ") == 0; at = overview.find('\n', at) + 1) {
    const std::string name = overview.substr(at + 2, overview.find(' ', at + 2) - at - 2);
    const auto help = test::tempera({name, "--help"});
    EXPECT_EQ(help.status, 0) << name;
    EXPECT_TRUE(help.out.starts_with("tempera " + name + ": ")) << help.out;
    EXPECT_EQ(occurrences(help.out, "\nExample:\n"), 1) << name;
    for (std::size_t line = 0; line < help.out.size(); line = help.out.find('\n', line) + 1)
      EXPECT_LE(display_width(help.out.substr(line, help.out.find('\n', line) - line)), 100) << help.out.substr(line);
    ++commands;
  }
  EXPECT_GE(commands, 1);
}

TEST(CommandLineFrame, EachMistakeHasItsMessageAndStatus) {
  expect_refusal({"docter"}, "unknown command 'docter'\nhint: did you mean 'doctor'?");
  expect_refusal({"xyzzy"}, "unknown command 'xyzzy'\nhint: see 'tempera --help'");
  expect_refusal({"--verison"}, "unknown option '--verison'\nhint: did you mean '--version'?");
  expect_refusal({"--zzz"}, "unknown option '--zzz'\nhint: see 'tempera --help'");
  expect_refusal({"doctor", "--thread", "2"}, "unknown option --thread\nhint: did you mean --threads?");
  expect_refusal({"doctor", "--threads", "0"},
                 "--threads: 0 is out of range: from 1 to 1024 expected\nhint: see 'tempera doctor --help'");
  expect_refusal({"doctor", "extra"}, "unexpected argument 'extra'\nhint: see 'tempera doctor --help'");
}

TEST(CommandLineFrame, OfAJobOnlyTheFirstProcessPrints) {
  const auto version = tempera_ranks(3, {"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.out, test::tempera({"--version"}).out);
  const auto help = tempera_ranks(3, {"doctor", "--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_EQ(help.out, test::tempera({"doctor", "--help"}).out);
}

TEST(CommandLineFrame, AMistakeUnderMpirunIsPrintedOnceWithItsStatus) {
  for (int repeat = 0; repeat < 3; ++repeat) {
    const auto result = tempera_ranks(3, {"doctor", "--threads", "0"});
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(occurrences(result.err, "tempera: error: "), 1) << result.err;
    EXPECT_EQ(occurrences(result.err,
                          "tempera: error: --threads: 0 is out of range: from 1 to 1024 expected\n"
                          "hint: see 'tempera doctor --help'\n"),
              1)
        << result.err;
  }
}

TEST(CommandLineFrame, OtherLaunchersNumberTheirProcessesToo) {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    test::ProcessSettings settings;
    settings.environment = {{name, "1"}};
    const auto second = test::tempera({"docter"}, settings);
    EXPECT_EQ(second.status, 2) << name;
    EXPECT_EQ(second.out + second.err, "") << name;
    settings.environment = {{name, "0"}};
    EXPECT_NE(test::tempera({"docter"}, settings).err, "") << name;
  }
}

}  // namespace
}  // namespace tempera
