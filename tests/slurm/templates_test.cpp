#include <set>
#include <sstream>

#include "core/io/tns.hpp"
#include "tests/slurm/local_slurm.hpp"
#include "tests/support/running_process.hpp"
#include "tests/support/tensors.hpp"

namespace tempera::test {
namespace {

using testing::HasSubstr;

/// Each template, submitted as it is shipped, on two nodes.
class SlurmTemplates : public SlurmJobs {
 protected:
  Arguments tensor() const {
    write_tns(folder_ / "x.tns", random_sparse({40, 30, 20}, 3000, 3));
    return {"x.tns", "--rank", "3", "--iterations", "20", "--tolerance", "0"};
  }
  void expect_on(const std::string& job, const std::string& nodes, int ranks, const std::string& folder) const {
    EXPECT_EQ(field(job, "NodeList"), nodes);
    EXPECT_EQ(json(folder + "/manifest.json").at("mpi_ranks"), ranks);
    EXPECT_EQ(json(folder + "/manifest.json").at("exit_status"), 0);
    EXPECT_EQ(field(job, "Restarts"), "0");
  }
  static Arguments in(const std::string& folder, const Arguments& more) {
    Arguments arguments = {folder};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
};

TEST_F(SlurmTemplates, DecomposeGivesTheFitOfARunWithoutSlurm) {
  const Arguments fit = tensor();
  const std::string job = submit("decompose", {}, in("run", fit));
  ASSERT_EQ(state_at_end(job), "COMPLETED") << output("decompose", job);
  expect_on(job, "n[1-2]", 4, "run");
  Arguments alone = {"decompose"};
  alone.insert(alone.end(), fit.begin(), fit.end());
  alone.insert(alone.end(), {"--output", "alone"});
  ASSERT_EQ(tempera(alone, {.folder = folder_.path()}).status, 0);
  EXPECT_NEAR(json("run/summary.json").at("fit"), json("alone/summary.json").at("fit"), 1e-10);
}

TEST_F(SlurmTemplates, SrunStartsTheRanksOfOneNode) {
  const std::string job = submit("decompose", {"--nodes=1", "--export=ALL,TEMPERA_LAUNCH=srun"}, in("run", tensor()));
  const std::string state = state_at_end(job);
  if (output("decompose", job).find("Invalid MPI type") != std::string::npos) GTEST_SKIP() << "this Slurm has no PMIx";
  ASSERT_EQ(state, "COMPLETED") << output("decompose", job);
  EXPECT_THAT(output("decompose", job), HasSubstr("srun --mpi=pmix --ntasks=2 "));
  EXPECT_EQ(json("run/manifest.json").at("mpi_ranks"), 2) << "one job, not two of one rank";
}

TEST_F(SlurmTemplates, SampleGivesTheDrawsOfARunWithoutSlurmAlsoWithThreads) {
  const Arguments target = {"--target", "mixture", "--rounds", "6"};
  const std::string job = submit("sample", {"--ntasks-per-node=1", "--cpus-per-task=2"}, in("run", target));
  ASSERT_EQ(state_at_end(job), "COMPLETED") << output("sample", job);
  expect_on(job, "n[1-2]", 2, "run");
  EXPECT_EQ(json("run/manifest.json").at("options").at("values").at("threads"), 2);
  Arguments alone = {"sample"};
  alone.insert(alone.end(), target.begin(), target.end());
  alone.insert(alone.end(), {"--output", "alone"});
  ASSERT_EQ(tempera(alone, {.folder = folder_.path()}).status, 0);
  EXPECT_EQ(text("run/draws.nc") == text("alone/draws.nc"), true) << "draws differ in their bytes";
}

TEST_F(SlurmTemplates, StudyRunsAllItsStages) {
  write_text(folder_ / "study.toml", R"([stage.data]
engine = "command"
command = "echo '{\"modes\": 3}'"
[stage.posterior]
engine = "sample"
target = "mixture"
rounds = 5
sweep.seed = [1, 2]
ranks = 1
needs = ["data"]
)");
  const std::string job = submit("study", {}, {"run", "study.toml"});
  ASSERT_EQ(state_at_end(job), "COMPLETED") << output("study", job);
  expect_on(job, "n[1-2]", 4, "run");
  for (const char* seed : {"1", "2"})
    EXPECT_TRUE(std::filesystem::exists(path("run/stages/posterior/seed=" + std::string(seed) + "/draws.nc")));
}

TEST_F(SlurmTemplates, AFailureEndsTheJobWithTheStatusOfTempera) {
  const std::string job = submit("decompose", {}, {"run", "absent.tns", "--rank", "3"});
  EXPECT_EQ(state_at_end(job), "FAILED");
  EXPECT_EQ(field(job, "ExitCode"), "3:0");
  EXPECT_EQ(field(job, "Restarts"), "0");
  EXPECT_THAT(output("decompose", job), HasSubstr("tempera: error: absent.tns: "));
  EXPECT_FALSE(std::filesystem::exists(path("run")));
}

/// Arrays of four trials, each a job; some of them fail in one way or another.
class SlurmArray : public SlurmJobs {
 protected:
  void space() const {
    write_text(folder_ / "space.toml",
               "[[parameter]]\nname = \"x\"\ntype = \"real\"\nlow = -2\nhigh = 2\n"
               "[[parameter]]\nname = \"kind\"\ntype = \"categorical\"\nchoices = [\"a \\\"b\\\"\", \"{}\"]\n");
  }
  void program(const std::string& text) const {
    write_text(folder_ / "trial.sh", text);
    std::filesystem::permissions(folder_ / "trial.sh", std::filesystem::perms::owner_all);
  }
  std::vector<nlohmann::json> trials() const {
    std::vector<nlohmann::json> found;
    std::istringstream lines(text("run/trials.jsonl"));
    for (std::string line; std::getline(lines, line);) found.push_back(nlohmann::json::parse(line));
    return found;
  }
  bool wait_for_end() const {
    return wait_until([&] { return run({"squeue", "--noheader"}).out.empty(); }, 240);
  }
};

TEST_F(SlurmArray, EveryTrialIsAJobAndItsValueIsThatOfItsPoint) {
  space();
  program(R"(#!/bin/sh
read -r point
echo "$SLURMD_NODENAME $TEMPERA_TRIAL_SEED" >>"where-$SLURM_ARRAY_JOB_ID"
echo "$point" | sed -E 's/.*"x":([-0-9.e]+).*/\1/'
)");
  submit("optimize_array", {}, {"run", "space.toml", "8", "4", "./trial.sh"});
  ASSERT_TRUE(wait_for_end());
  ASSERT_TRUE(std::filesystem::exists(path("run/summary.json")));
  const auto all = trials();
  ASSERT_EQ(all.size(), 8u);
  std::set<int> numbers;
  for (const auto& trial : all) {
    EXPECT_EQ(trial.at("value"), trial.at("point").at("x"));
    numbers.insert(trial.at("number").get<int>());
  }
  EXPECT_EQ(numbers.size(), 8u);
  std::string where;
  int arrays = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
    if (entry.path().filename().string().starts_with("where-")) {
      ++arrays;
      EXPECT_EQ(occurrences(read_text(entry.path()), "\n"), 4);
      where += read_text(entry.path());
    }
  EXPECT_EQ(arrays, 2);
  EXPECT_GE(occurrences(where, "n1 "), 1) << where;
  EXPECT_GE(occurrences(where, "n2 "), 1) << where;
}

TEST_F(SlurmArray, TrialsThatGiveNoValueCountAsFailed) {
  space();
  program(R"(#!/bin/sh
case $SLURM_ARRAY_TASK_ID in
  0) exit 3 ;;
  1) echo nan ;;
  2) scancel "${SLURM_ARRAY_JOB_ID}_2"; sleep 600 ;;
  3) echo '{"value": 0.25, "cost": 2}' ;;
esac
)");
  submit("optimize_array", {}, {"run", "space.toml", "4", "4", "./trial.sh"});
  ASSERT_TRUE(wait_for_end());
  const auto all = trials();
  ASSERT_EQ(all.size(), 4u);
  for (const auto& trial : all) {
    const bool good = trial.at("number") == 3;
    EXPECT_EQ(trial.at("status"), good ? "ok" : "failed") << trial;
    if (good) {
      EXPECT_EQ(trial.at("value"), 0.25);
    }
  }
  EXPECT_EQ(json("run/summary.json").at("failed_trials"), 3);
}

}  // namespace
}  // namespace tempera::test
