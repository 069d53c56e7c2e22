#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "distributed/checkpoint/generation_index.hpp"
#include "tests/support/data.hpp"
#include "tests/support/process.hpp"

namespace tempera {
namespace {

using Json = nlohmann::json;

class StandardStreams : public testing::Test {
 protected:
  StandardStreams() { test::write_text(folder_ / "x.tns", "1 1 1 1.0\n2 2 2 2.0\n3 1 2 0.5\n"); }
  /// `tempera REST` by a shell, which knows redirections.
  test::ProcessResult shell(const std::string& rest, const std::string& before = "exec") const {
    return test::run_process({"sh", "-c", before + " \"$0\" " + rest, test::tempera_executable()},
                             {.seconds = 120, .folder = folder_.path(), .environment = {}});
  }
  Json manifest() const { return Json::parse(test::read_text(folder_ / "run/manifest.json")); }
  test::TemporaryFolder folder_;
};

TEST_F(StandardStreams, ResultsThatCannotBeWrittenAreStatusFive) {
  const std::string full =
      "tempera: error: standard output: cannot be written: No space left on device\n"
      "hint: free some space, or write to another disk\n";
  const std::string closed = "tempera: error: standard output: cannot be written: Bad file descriptor\n";
  for (const std::string command : {"--help", "--version", "doctor --help", "doctor", "convert x.tns y.npy --overwrite",
                                    "decompose x.tns --rank 1 --json --quiet --output run --overwrite"}) {
    const auto to_full = shell(command + " >/dev/full");
    EXPECT_EQ(to_full.status, 5) << command;
    EXPECT_EQ(to_full.err, full) << command;
    const auto to_nobody = shell(command + " >&-");
    EXPECT_EQ(to_nobody.status, 5) << command;
    EXPECT_EQ(to_nobody.err, closed) << command;
  }
  EXPECT_EQ(manifest()["exit_status"], 5);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "run/summary.json")) << "the result itself is safe";
}

TEST_F(StandardStreams, MessagesThatCannotBeWrittenChangeNothing) {
  for (const std::string where : {" 2>/dev/full", " 2>&-"}) {
    EXPECT_EQ(shell("docter" + where).status, 2);
    EXPECT_EQ(shell("convert absent.tns y.npy" + where).status, 3);
    EXPECT_EQ(shell("decompose absent.tns" + where).status, 3);
    const auto run = shell("decompose x.tns --rank 1 --output run --overwrite" + where);
    EXPECT_EQ(run.status, 0);
    EXPECT_NE(run.out, "");
    EXPECT_EQ(manifest()["exit_status"], 0);
  }
}

TEST_F(StandardStreams, ClosedOnesAreNotMistakenForFiles) {
  const auto run = shell("decompose x.tns --rank 1 --output run <&- >&- 2>&-");
  EXPECT_EQ(run.status, 5);
  EXPECT_EQ(manifest()["exit_status"], 5);
  const Json summary = Json::parse(test::read_text(folder_ / "run/summary.json"));
  EXPECT_EQ(summary["rank"], 1);
}

// The signal is waiting when the program starts: blocked and pending signals outlive exec.
TEST_F(StandardStreams, ASignalBeforeTheRunBeginsEndsItAfterItsFirstSweep) {
  const auto run = test::run_process(
      {"env", "--block-signal=USR1", "sh", "-c", "kill -USR1 $$; exec \"$@\"", "sh", test::tempera_executable(),
       "decompose", "x.tns", "--rank", "1", "--tolerance", "0", "--iterations", "50", "--output", "run"},
      {.seconds = 120, .folder = folder_.path(), .environment = {}});
  EXPECT_EQ(run.status, 130) << run.err;
  EXPECT_EQ(manifest()["exit_status"], 130);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/summary.json")) << "no results, a checkpoint";
  const auto generations = list_generations(folder_ / "run/checkpoint");
  ASSERT_EQ(generations.size(), 1u);
  EXPECT_EQ(generations[0].progress.at("iteration"), 1);
}

}  // namespace
}  // namespace tempera
