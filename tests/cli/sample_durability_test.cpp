#include <algorithm>
#include <csignal>

#include "distributed/checkpoint/generation_index.hpp"
#include "tests/cli/sample_fixture.hpp"
#include "tests/support/faults.hpp"

namespace tempera::test {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class SampleDurability : public SampleCommand {
 protected:
  /// 0: none yet
  int newest_generation(const std::string& name) const {
    const auto generations = list_generations(path(name) / "checkpoint");
    int newest = 0;
    for (const auto& one : generations) newest = std::max(newest, static_cast<int>(one.number));
    return newest;
  }
  int rounds_done(const std::string& name) const {
    return fs::exists(path(name) / "progress.jsonl") ? occurrences(text(name + "/progress.jsonl"), R"({"step":"scan")")
                                                     : 0;
  }

  /// Killed a few checkpoints after it went on, again and again; it ends as the unbroken one.
  void kill_after_checkpoints(const Arguments& arguments, int kills, std::uint64_t seed) const {
    kill_and_go_on(arguments, kills, seed, [this](int kill, RandomStream& random) {
      const int from = fs::exists(path("run")) ? newest_generation("run") : 0;
      const int until = from + static_cast<int>(random.uniform_index(3)) + (kill == 0 ? 0 : 1);
      return [this, until] { return newest_generation("run") >= until; };
    });
    expect_equal_runs("run", "whole");
  }
};

TEST_F(SampleDurability, FourKillsAtRandomMomentsChangeNoByte) {
  kill_after_checkpoints(
      {"--target", "mixture", "--copies", "2", "--rounds", "12", "--checkpoint-every", "400it", "--quiet"}, 4, 1);
}

TEST_F(SampleDurability, DISABLED_TwentyKillsAtRandomMomentsChangeNoByte) {
  kill_after_checkpoints({"--target", "mixture", "--copies", "2", "--rounds", "15", "--keep", "all",
                          "--checkpoint-every", "600it", "--quiet"},
                         20, 2);
}

TEST_F(SampleDurability, DISABLED_TwentyKillsOfATensorsPosteriorChangeNoByte) {
  kill_after_checkpoints({"--tensor", counts(), "--rank", "2", "--likelihood", "poisson", "--algorithm", "nuts",
                          "--rounds", "13", "--checkpoint-every", "150it", "--quiet"},
                         20, 3);
}

TEST_F(SampleDurability, ASignalStopsTheRunAfterACheckpointAndItGoesOn) {
  const Arguments arguments{"--target", "mixture", "--rounds", "13", "--checkpoint-every", "never"};
  start(with(arguments, {"--quiet"}), "whole");
  struct Case {
    int ranks, signal, resumed;
  };
  for (const auto& [ranks, signal, resumed] : {Case{3, SIGUSR1, 2}, Case{0, SIGTERM, 4}, Case{0, SIGINT, 1}}) {
    SCOPED_TRACE("signal " + std::to_string(signal) + " on " + std::to_string(ranks) + " ranks");
    const std::string name = "stopped-" + std::to_string(signal);
    RunningProcess job = tempera_in_background(ranks, run_of(arguments, name), here());
    ASSERT_TRUE(wait_until([&, &run = name] { return rounds_done(run) >= 8; }, 60, &job)) << job.wait().err;
    job.signal(signal);
    const auto stopped = job.wait();
    EXPECT_EQ(stopped.status, kStopped) << stopped.err;
    EXPECT_THAT(stopped.err + stopped.out, HasSubstr("tempera resume " + name));
    EXPECT_FALSE(fs::exists(path(name) / "draws.nc"));
    EXPECT_FALSE(fs::exists(path(name) / "summary.json"));
    EXPECT_EQ(json(name + "/manifest.json")["exit_status"], kStopped);
    const auto status = tempera({"status", name}, here());
    EXPECT_THAT(status.out, HasSubstr("tempera sample\n"));
    EXPECT_THAT(status.out, HasSubstr("'tempera resume " + name + "' goes on from the checkpoint"));
    const auto result = resume(resumed, name);
    ASSERT_EQ(result.status, 0) << result.err;
    expect_equal_runs(name, "whole");
  }
}

// How far a time limit lets it come is not known beforehand: a criterion that any round meets ends it where it is.
TEST_F(SampleDurability, ATimeLimitStopsTheRunWithACheckpointAndItGoesOn) {
  const Arguments arguments{"--target", "gaussian", "--replicas", "3", "--quiet"};
  const auto stopped =
      sample(with(arguments, {"--rounds", "40", "--thin", "64", "--time-limit", "2s", "--output", "run"}), 2);
  EXPECT_EQ(stopped.status, kStopped) << stopped.err;
  ASSERT_EQ(newest_generation("run"), 1);
  const auto result = resume(3, "run", {"--until-ess", "1", "--time-limit", "none"});
  ASSERT_EQ(result.status, 0) << result.err;
  const int rounds = json("run/summary.json")["rounds"];
  EXPECT_GT(rounds, 4);
  start(with(arguments, {"--rounds", std::to_string(rounds), "--thin", "64"}), "whole");
  expect_equal_runs("run", "whole");
}

TEST_F(SampleDurability, AFinishedRunIsExtendedToTheBytesOfALongerOne) {
  for (const Arguments& variant :
       {Arguments{"--target", "mixture"}, Arguments{"--target", "eight-schools", "--algorithm", "nuts"},
        Arguments{"--target", "gaussian", "--reference", "two-leg", "--thin", "3"}}) {
    SCOPED_TRACE(testing::PrintToString(variant));
    const Arguments arguments = with(variant, {"--quiet", "--overwrite"});
    start(with(arguments, {"--rounds", "8"}), "whole");
    start(with(arguments, {"--rounds", "5"}), "run", 2);
    ASSERT_EQ(resume(3, "run", {"--rounds", "6"}).status, 0);
    ASSERT_EQ(resume(0, "run", {"--rounds", "8"}).status, 0);
    expect_equal_runs("run", "whole");
  }
}

TEST_F(SampleDurability, ARunThatACriterionEndedGoesOnByAStricterOneOrByRounds) {
  const Arguments arguments{"--target", "gaussian", "--quiet", "--until-ess"};
  start(with(arguments, {"60"}), "run");
  const int rounds = json("run/summary.json")["rounds"];
  ASSERT_LT(rounds, 12);
  EXPECT_THAT(tempera({"status", "run"}, here()).out,
              HasSubstr("--rounds N' extends it, N above " + std::to_string(rounds)));
  const auto ended = resume(0, "run");
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.out,
              HasSubstr("the run has ended: --until-ess 60.0 was reached in round " + std::to_string(rounds) +
                        "; a stricter criterion, or --rounds above that, extends it"));
  ASSERT_EQ(resume(2, "run", {"--until-ess", "400"}).status, 0);
  start(with(arguments, {"400"}), "strict");
  expect_equal_runs("run", "strict");
  const int more = json("run/summary.json")["rounds"].get<int>() + 1;
  ASSERT_EQ(resume(2, "run", {"--rounds", std::to_string(more)}).status, 0);
  start({"--target", "gaussian", "--quiet", "--rounds", std::to_string(more)}, "rounds");
  expect_equal_runs("run", "rounds");
}

// All computed, and killed before it was written down.
TEST_F(SampleDurability, ResultsThatWereNotWrittenAreWrittenByResume) {
  const Arguments arguments{"--target", "mixture", "--rounds", "7", "--quiet"};
  start(arguments, "whole");
  int number = 0;
  for (const std::string file : {"run/draws.nc", "run/summary.json"})
    for (const std::string action : {"kill", "kill-after"}) {
      SCOPED_TRACE(action + " at " + file);
      fs::remove_all(path("run"));
      const auto killed = tempera_ranks(2, run_of(arguments, "run"),
                                        with_fault({.path = file, .call = 1, .action = action, .rank = 0}, here()));
      ASSERT_EQ(killed.status, kKilled) << killed.err;
      // What is counted is the rename, which comes last; then only the manifest does not know yet.
      EXPECT_EQ(fs::exists(path("run/summary.json")), file == "run/summary.json" && action == "kill-after");
      EXPECT_EQ(fs::exists(path("run/draws.nc")), file == "run/summary.json" || action == "kill-after");
      EXPECT_GE(newest_generation("run"), 1);
      const auto result = resume(number++ % 3 + 1, "run");
      ASSERT_EQ(result.status, 0) << result.err;
      expect_equal_runs("run", "whole");
      std::vector<std::string> left;
      for (const auto& entry : fs::directory_iterator(path("run"))) left.push_back(entry.path().filename());
      EXPECT_THAT(left, testing::UnorderedElementsAre("manifest.json", "progress.jsonl", "summary.json", "summary.txt",
                                                      "draws.nc", "checkpoint"));
    }
}

TEST_F(SampleDurability, AnExtensionThatIsKilledGoesOn) {
  const Arguments arguments{"--target", "mixture", "--checkpoint-every", "100it", "--quiet"};
  start(with(arguments, {"--rounds", "9"}), "whole");
  start(with(arguments, {"--rounds", "7"}), "run", 2);
  const auto killed = tempera_ranks(3, {"resume", "run", "--rounds", "9"},
                                    with_fault({.path = "progress.jsonl", .call = 4, .rank = 0}, here()));
  ASSERT_EQ(killed.status, kKilled) << killed.err;
  const auto result = resume(1, "run");
  ASSERT_EQ(result.status, 0) << result.err;
  expect_equal_runs("run", "whole");
}

TEST_F(SampleDurability, ChangedDataAreNotTakenForTheSame) {
  file("x.json", R"({"y":[1,2],"sigma":[1,2]})");
  start({"--target", "eight-schools", "--data", "x.json", "--rounds", "4", "--quiet"}, "run");
  file("x.json", R"({"y":[1,3],"sigma":[1,2]})");
  const auto refused = resume(2, "run", {"--rounds", "5"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_THAT(refused.err, HasSubstr("x.json: is not the input this run began with"));
  file("moved.json", R"({"y":[1,2],"sigma":[1,2]})");
  EXPECT_EQ(resume(2, "run", {"--rounds", "5", "--data", "moved.json"}).status, 0);
}

}  // namespace
}  // namespace tempera::test
