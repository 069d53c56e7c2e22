#include <csignal>
#include <future>

#include "tests/cli/study_fixture.hpp"
#include "tests/support/process.hpp"
#include "tests/support/running_process.hpp"

namespace tempera {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Studies that run, seen by `tempera status`.
class WatchedStudy : public test::StudyFiles {
 protected:
  test::ProcessSettings here() const { return {.seconds = 120, .folder = folder_.path(), .environment = {}}; }
  test::ProcessResult run(int ranks, const std::string& text) const {
    file(text);
    return test::tempera_ranks(ranks, {"run", "study.toml", "--output", "run", "--quiet"}, here());
  }
  std::string status(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"status", "run"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto result = test::tempera(arguments, here());
    EXPECT_EQ(result.status, 0) << result.err;
    return result.out;
  }
  nlohmann::json json() const { return nlohmann::json::parse(status({"--json"})); }
  /// A stage that is done at once and one that takes very long, with a checkpoint every twenty sweeps.
  std::string endless() const {
    return test::command_stage("first") +
           test::decompose_stage("long",
                                 "needs = [\"first\"]\nrank = 2\niterations = 100000000\ntolerance = 0\n"
                                 "ranks = 1\ncheckpoint-every = \"20it\"\n") +
           test::command_stage("last", "needs = [\"long\"]\n");
  }
  bool wait_for_checkpoint(const test::RunningProcess& job) const {
    const auto folder = folder_ / "run/stages/long/checkpoint";
    return test::wait_until([&] { return std::filesystem::exists(folder / "generation-000003"); }, 60, &job);
  }
};

TEST_F(WatchedStudy, ThatIsFinishedTellsItsResultsOnEveryNumberOfRanks) {
  const std::string text =
      test::decompose_stage("fit", "repeat = 2\nranks = 1\niterations = 5\nselect.metric = \"relative_error\"\n") +
      test::search_stage("budget = 2\n") + test::decompose_stage("factor", "rank = \"{rank}\"\n") +
      test::command_stage("last", "", "echo {fit.fit}");
  for (const int ranks : {1, 2, 3, 4}) {
    SCOPED_TRACE(ranks);
    std::filesystem::remove_all(folder_ / "run");
    const auto result = run(ranks, text);
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(status(),
                AllOf(HasSubstr("  state       finished\n"), HasSubstr("  progress    4 of 4 runs done\n"),
                      HasSubstr("  fit     decompose  2 done            "), HasSubstr("best fit[repeat="),
                      HasSubstr("  search  optimize   done              "), HasSubstr("best_value "),
                      HasSubstr("  factor  decompose  trials of search"),
                      HasSubstr("  next        the results are in run/summary.txt\n"), Not(HasSubstr("note"))));
    const auto seen = json()["study"];
    const auto summary = nlohmann::json::parse(test::read_text(folder_ / "run/summary.json"));
    EXPECT_NEAR(seen["worker_busy_fraction"].get<double>(), summary["worker_busy_fraction"].get<double>(), 1e-9);
    EXPECT_EQ(seen["trace"].size(), 4u);
    EXPECT_EQ(seen["sessions"][0]["mpi_ranks"], ranks);
    EXPECT_EQ(seen["instances"][2]["result"]["best_value"], summary["stages"]["search"]["result"]["best_value"]);
    EXPECT_THAT(status({"--verbose"}), HasSubstr("  rank " + std::to_string(ranks - 1) + "        "));
  }
}

TEST_F(WatchedStudy, WithAFailedStageTellsWhyAndWhatWasSkipped) {
  EXPECT_EQ(run(2, test::command_stage("bad", "", "false") + test::command_stage("after", "needs = [\"bad\"]\n") +
                       test::command_stage("other"))
                .status,
            4);
  EXPECT_THAT(
      status(),
      AllOf(HasSubstr("  state       failed with exit status 4\n"),
            HasSubstr("  progress    1 of 3 runs done, 1 failed, 1 skipped\n"), HasSubstr("  after  command  skipped"),
            HasSubstr("\n  failed\n    bad: study.toml:1: command: exit status 1\n"),
            HasSubstr("'mpirun -n 2 tempera resume run' goes on with the 2 runs that are not done, on any number of "
                      "MPI ranks, once the cause is mended\n")));
}

TEST_F(WatchedStudy, ThatIsKilledTellsWhatIsSafeAndTheCommandThatContinues) {
  file(endless());
  for (const int ranks : {1, 3}) {
    SCOPED_TRACE(ranks);
    std::filesystem::remove_all(folder_ / "run");
    auto job = test::tempera_in_background(ranks, {"run", "study.toml", "--output", "run", "--quiet"}, here());
    ASSERT_TRUE(wait_for_checkpoint(job));
    const std::string place = ranks == 1 ? "all ranks" : "rank 1";
    EXPECT_THAT(status(), AllOf(HasSubstr("  state       running, process "),
                                HasSubstr("  progress    1 of 3 runs done, 1 running, 1 waiting\n"),
                                HasSubstr("\n  running\n    long on " + place + " for "), HasSubstr("      sweep "),
                                HasSubstr(" of at most 100000000; fit "), HasSubstr("      checkpoint: sweep "),
                                HasSubstr("  last   command    waiting for long")));
    const auto seen = json()["study"];
    EXPECT_EQ(seen["ranks"].size(), static_cast<std::size_t>(ranks));
    EXPECT_EQ(seen["ranks"][ranks == 1 ? 0 : 1]["run"], "long");
    if (ranks == 1)
      job.kill_all();
    else
      ASSERT_TRUE(job.signal_rank(2, SIGKILL));  // MPI ends the others
    job.wait();
    const std::string launcher = ranks == 1 ? "" : "mpirun -n 3 ";
    EXPECT_THAT(status(),
                AllOf(HasSubstr("  state       died: process "),
                      HasSubstr("  progress    1 of 3 runs done, 1 broken off, 1 waiting\n"),
                      HasSubstr("  safe        the results of 1 run, and what 1 run below goes on from\n"),
                      HasSubstr("\n  broken off\n    long on " + place + "\n"), HasSubstr("      goes on from: sweep "),
                      HasSubstr("'" + launcher + "tempera resume run' goes on with the 2 runs that are not done")));
    EXPECT_THAT(status({"--verbose"}), HasSubstr("! failed or broken off\n"));
  }
}

TEST_F(WatchedStudy, IsReadFromItsCopyAsInItsOwnFolder) {
  test::write_text(folder_ / "space.toml", "[[parameter]]\nname = \"x\"\ntype = \"real\"\nlow = 0\nhigh = 1\n");
  const std::string text =
      "[stage.search]\nengine = \"optimize\"\nspace = \"space.toml\"\ncommand = \"./tool\"\nbudget = 1\n";
  ASSERT_EQ(run(1, text).status, 0);
  EXPECT_THROW(drivers::read_study(folder_ / "run/study.toml"), Error);
  EXPECT_EQ(drivers::read_study(folder_ / "run/study.toml", folder_.path()).stages.size(), 1u);
  EXPECT_THAT(status(), AllOf(HasSubstr("  search  optimize  done"), Not(HasSubstr("note"))));
}

TEST_F(WatchedStudy, IsFollowedUntilItStops) {
  file(endless());
  auto job = test::tempera_in_background(2, {"run", "study.toml", "--output", "run", "--quiet"}, here());
  ASSERT_TRUE(wait_for_checkpoint(job));
  auto monitor = std::async(std::launch::async, [this] { return status({"--follow"}); });
  job.signal(SIGUSR1);
  EXPECT_EQ(job.wait().status, 130);
  const std::string printed = monitor.get();
  EXPECT_THAT(printed, AllOf(StartsWith("tempera run of "), HasSubstr("  state       stopped after a checkpoint\n"),
                             HasSubstr("  progress    1 of 3 runs done, 1 left, 1 waiting\n"),
                             HasSubstr("\n  left, to go on later\n    long on rank 1\n      sweep "),
                             HasSubstr("'mpirun -n 2 tempera resume run' goes on with the 2 runs that are not done")));
}

}  // namespace
}  // namespace tempera
