#include <algorithm>

#include "distributed/checkpoint/generation_index.hpp"
#include "tests/cli/durability_fixture.hpp"

namespace tempera::test {
namespace {

namespace fs = std::filesystem;

class Kills : public Durability {};

TEST_F(Kills, ThirtyAtRandomMomentsOfOneRankOrOfAllLoseNoRun) {
  for (int trial = 0; trial < 30; ++trial) {
    RandomStream random(20260201, "random-kill", {trial});
    const int ranks = static_cast<int>(random.uniform_index(4)) + 1;
    const int resumed = (ranks + static_cast<int>(random.uniform_index(3))) % 4 + 1;  // another number
    const bool all = random.uniform_index(2) == 0;
    const int victim = static_cast<int>(random.uniform_index(ranks));
    const int moment = static_cast<int>(random.uniform_index(800));
    const Arguments variants[] = {{}, {"--constraint", "nonnegative@0,1"}, {"--restarts", "2"}};
    const Run run{with(fit("sparse.tns", 1000, {"--checkpoint-every", "15it"}), variants[trial % 3]), ranks};
    const std::string name = "killed-" + std::to_string(trial);
    SCOPED_TRACE(std::to_string(ranks) + " → " + std::to_string(resumed) + " ranks, kill " +
                 (all ? "all" : std::to_string(victim)) + " after " + std::to_string(moment) + " sweeps, variant " +
                 std::to_string(trial % 3));
    RunningProcess job = tempera_in_background(ranks, decompose(run, name), here());
    ASSERT_TRUE(wait_until([&] { return fs::exists(path(name) / "progress.jsonl"); }, 60, &job)) << job.wait().err;
    ASSERT_TRUE(wait_for_sweeps(job, name, moment)) << job.wait().err;
    if (all)
      job.kill_all();
    else
      ASSERT_TRUE(job.signal_rank(victim, SIGKILL));
    EXPECT_EQ(job.wait().status, kKilled);
    const auto result = resume(resumed, name);
    ASSERT_EQ(result.status, 0) << result.err;
    expect_as_unbroken(name, run, false);
    fs::remove_all(path(name));
  }
}

/// A step in which a run can die, while it writes its checkpoints.
struct Step {
  int rank, call;
  std::string action, what;
};

class KillsInsideCheckpoints : public Kills {
 protected:
  static constexpr int kEvery = 2;  // sweeps between checkpoints

  static bool is_write(const std::string& call) { return call.find("write") != std::string::npos; }

  /// Every counted step of the run until its generation `last` appears: the first ones, and some that remove older ones.
  std::vector<Step> steps(const Run& run, int last) {
    EXPECT_EQ(start_with(run, "counted", {.path = "/counted/checkpoint", .log = path("log")}).status, 0);
    std::vector<Step> result;
    int generations = 0;
    for (const FileCall& call : read_fault_log(path("log"))) {
      if (call.call == "rename" && call.path.ends_with(".partial")) ++generations;
      if (generations >= last) break;
      for (const std::string action : {"kill", "kill-after", "torn"})
        if (action != "torn" || is_write(call.call))
          result.push_back({call.rank, call.number, action, call.call + " " + fs::path(call.path).filename().string()});
    }
    fs::remove(path("log"));
    fs::remove_all(path("counted"));
    return result;
  }

  /// Kills the run in that step and looks what is left; then it goes on.
  void break_and_mend(const Run& run, const Step& step, int ranks) {
    SCOPED_TRACE(step.action + " at call " + std::to_string(step.call) + " (" + step.what + ") of rank " +
                 std::to_string(step.rank) + ", resumed on " + std::to_string(ranks));
    const auto killed = start_with(
        run, "run", {.path = "/run/checkpoint", .call = step.call, .action = step.action, .rank = step.rank});
    ASSERT_EQ(killed.status, kKilled) << killed.err;
    // The last checkpoint that the run says it had finished, and perhaps the one it was writing.
    const int told = occurrences(text("run/progress.jsonl"), R"({"step":"checkpoint")");
    const auto generations = list_generations(path("run/checkpoint"));
    const int newest = generations.empty() ? 0 : generations.front().number;
    EXPECT_TRUE(newest == told || newest == told + 1) << newest << " where " << told << " were finished";
    if (newest > 0) {
      EXPECT_EQ(generations.front().progress.at("iteration"), kEvery * newest);
    }
    EXPECT_GE(generations.size(), static_cast<std::size_t>(std::min(2, newest))) << "two are kept";
    const auto result = resume(ranks, "run");
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.err.find("damaged"), std::string::npos) << result.err;
    const nlohmann::json from = json("run/manifest.json").at("resumes").at(0).at("generation");
    EXPECT_EQ(from.is_null() ? 0 : from.get<int>(), newest);
    expect_as_unbroken("run", run, ranks == run.ranks);
    for (const auto& entry : fs::directory_iterator(path("run/checkpoint")))
      EXPECT_TRUE(entry.path().filename().string().starts_with("generation-")) << "a leftover: " << entry.path();
    fs::remove_all(path("run"));
  }
};

TEST_F(KillsInsideCheckpoints, LeaveTheOldGenerationOrTheNewOne) {
  const Run run{fit("dense.npy", 5 * kEvery, {"--checkpoint-every", std::to_string(kEvery) + "it"}), 2};
  const std::vector<Step> all = steps(run, 4);
  ASSERT_GE(all.size(), 200u);
  int trial = 0;
  for (const Step& step : all) {
    ++trial;
    break_and_mend(run, step, trial % 2 == 0 ? 2 : trial % 4 == 1 ? 1 : 3);
    if (HasFatalFailure()) return;
  }
  RecordProperty("kills", trial);
}

// Factors of so many rows that rank 1 writes part of them.
TEST_F(KillsInsideCheckpoints, LeaveTheOldGenerationOrTheNewOneWhereEveryRankWrites) {
  write_tns(path("tall.tns"), random_sparse({400000, 5, 4}, 3000, 9));
  const Run run{fit("tall.tns", 4 * kEvery, {"--checkpoint-every", std::to_string(kEvery) + "it"}), 2};
  int trial = 0, writes = 0;
  for (const Step& step : steps(run, 3)) {
    if (step.rank != 1) continue;
    ++trial;
    if (is_write(step.what)) ++writes;
    break_and_mend(run, step, trial % 3 + 1);
    if (HasFatalFailure()) return;
  }
  EXPECT_GE(writes, 6) << "each torn, and killed before and after";
  RecordProperty("kills", trial);
}

}  // namespace
}  // namespace tempera::test
