#include <chrono>
#include <csignal>

#include "tests/cli/study_run_fixture.hpp"

namespace tempera::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

class StudyStop : public StudyRuns {
 protected:
  static constexpr int kTrialSweeps = 8000, kSweeps = 30000;

  /// Four runs that work side by side on four ranks, none of which ends soon, and one that needs them all.
  /// @param more  times as long
  std::string busy(int more = 1) const {
    // The first time it would take forever.
    script("slow.sh",
           "if [ -f \"$TEMPERA_STAGE_DIR/seen\" ]; then echo '{\"value\": 1}'; exit; fi\n"
           "touch \"$TEMPERA_STAGE_DIR/seen\"\nsleep 600\n");
    write_tns(path("in/counts.tns"), random_sparse({40, 30, 20}, 3000, 3));
    return study(
        "seed = 2\n" +
        fit("fit", "rank = 3\nranks = 1\niterations = " + std::to_string(more * kSweeps) +
                       "\ncheckpoint-every = \"never\"\n") +
        "[stage.posterior]\nengine = \"sample\"\ntarget = \"mixture\"\nrounds = " + std::to_string(more > 1 ? 22 : 15) +
        "\nranks = 1\n"
        "checkpoint-every = \"never\"\n" +
        search(3, more * kTrialSweeps, "ranks = 1\n", "never") + command("slow", "./slow.sh") +
        command("last", "echo {slow.value}", "needs = [\"fit\", \"posterior\", \"search\"]\n"));
  }
  int steps(const std::string& run, const std::string& step) const {
    const std::string log = "run/stages/" + run + "/progress.jsonl";
    return fs::exists(path(log)) ? occurrences(text(log), "{\"step\":\"" + step + "\"") : 0;
  }
  bool all_are_busy() const {
    return steps("fit", "sweep") > 100 && steps("posterior", "scan") > 3 &&
           steps("search/trials/000000", "sweep") > 20 && fs::exists(path("run/stages/slow/seen"));
  }
  void expect_stopped(const ProcessResult& stopped) const {
    EXPECT_EQ(stopped.status, kStopped) << stopped.err;
    EXPECT_EQ(json("run/manifest.json")["exit_status"], kStopped);
    EXPECT_FALSE(fs::exists(path("run/summary.json")));
    for (const char* run : {"fit", "posterior", "search", "slow"})
      EXPECT_THAT(ends("run")[run], ElementsAre("left")) << run;
    EXPECT_EQ(starts("run").count("last"), 0u);
  }
};

TEST_F(StudyStop, ASignalToTheJobOrToOneOfItsRanksStopsAllAndNothingIsLost) {
  const std::string file = busy();
  fs::create_directories(path("whole/stages/slow"));
  this->file("whole/stages/slow/seen", "");
  ASSERT_EQ(run({file, "--output", "whole", "--overwrite", "--quiet"}, 4).status, 0);
  for (const int victim : {-1, 0, 2}) {
    SCOPED_TRACE(victim < 0 ? "the job" : "rank " + std::to_string(victim));
    fs::remove_all(path("run"));
    RunningProcess job = tempera_in_background(4, {"run", file, "--output", "run"}, here());
    ASSERT_TRUE(wait_until([&] { return all_are_busy(); }, 60, &job)) << job.wait().err;
    if (victim < 0)
      job.signal(SIGUSR1);
    else
      ASSERT_TRUE(job.signal_rank(victim, SIGUSR1));
    const auto stopped = job.wait();
    expect_stopped(stopped);
    EXPECT_EQ(occurrences(stopped.err + stopped.out, "go on with: tempera resume run\n"), 1) << stopped.err;
    const int before = steps("fit", "sweep");
    const auto result = resume(victim < 0 ? 2 : 3, "run");
    ASSERT_EQ(result.status, 0) << result.err;
    expect_same_results("run", "whole");
    // Each went on from where it was, the trial too; the command began again.
    for (const char* one : {"fit", "posterior", "search/trials/000000"})
      EXPECT_GE(json(std::string("run/stages/") + one + "/manifest.json")["resumes"][0]["generation"].get<int>(), 1)
          << one;
    EXPECT_GE(before, 100);
    EXPECT_EQ(steps("fit", "sweep"), kSweeps) << "no sweep twice";
    EXPECT_EQ(steps("search/trials/000000", "sweep"), kTrialSweeps);
    EXPECT_EQ(starts("run")["slow"], 2);
  }
}

TEST_F(StudyStop, ATimeLimitStopsAllInTime) {
  const std::string file = busy(50);  // it would take minutes
  const auto begin = std::chrono::steady_clock::now();
  expect_stopped(run({file, "--output", "run", "--quiet", "--time-limit", "4s"}, 4));
  const int before = steps("fit", "sweep");
  const auto again = resume(3, "run", {"--time-limit", "4s"});
  EXPECT_EQ(again.status, kStopped) << again.err;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
  EXPECT_GT(steps("fit", "sweep"), before);
  EXPECT_THAT(ends("run")["fit"], ElementsAre("left", "left"));
}

TEST_F(StudyStop, ARunThatDoesNotEndWithinItsOwnLimitFailsAndTheOthersGoOn) {
  const std::string endless = "iterations = 2000000000\ntime-limit = \"0.5s\"\n";
  for (const int ranks : {1, 3}) {
    const std::string file =
        study(fit("slow", "ranks = 1\n" + endless) + fit("after", "needs = [\"slow\"]\n") +
              fit("quick", "ranks = 1\niterations = 5\n") +
              "[stage.search]\nengine = \"optimize\"\nscheduler = \"random\"\nbudget = 2\n"
              "objective.stage = \"trial\"\nobjective.metric = \"fit\"\n"
              "[[stage.search.parameter]]\nname = \"rank\"\ntype = \"integer\"\nlow = 1\nhigh = 4\n" +
              fit("trial", "rank = \"{rank}\"\n" + endless));
    const auto result = run({file, "--output", "run", "--overwrite"}, ranks);
    EXPECT_EQ(result.status, exit_status(Category::numerical)) << result.err;
    EXPECT_THAT(result.err,
                HasSubstr("study.toml:7: 2 runs failed, the first of them slow: time-limit: has not ended after 0.5s"));
    const Json stages = json("run/summary.json")["stages"];
    EXPECT_EQ(stages["slow"]["status"], "failed");
    EXPECT_EQ(stages["after"]["status"], "skipped");
    EXPECT_EQ(stages["quick"]["status"], "done");
    EXPECT_THAT(stages["search"]["reason"].get<std::string>(), HasSubstr("study.toml:36: time-limit: has not ended"));
  }
}

}  // namespace
}  // namespace tempera::test
