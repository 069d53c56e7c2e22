#include <csignal>

#include "core/io/tns.hpp"
#include "tests/slurm/local_slurm.hpp"
#include "tests/support/running_process.hpp"
#include "tests/support/tensors.hpp"

namespace tempera::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Jobs that do not end in one piece, compared with runs that do.
class SlurmRequeue : public SlurmJobs {
 protected:
  /// The same run without Slurm.
  void run_whole(const std::string& command, Arguments arguments, const std::string& name) const {
    arguments.insert(arguments.begin(), command);
    arguments.insert(arguments.end(), {"--output", name});
    const auto result = tempera(arguments, {.folder = folder_.path()});
    ASSERT_EQ(result.status, 0) << result.err;
  }
  void expect_same_bytes(const std::string& file, const std::string& other) const {
    ASSERT_TRUE(std::filesystem::exists(path(file))) << file;
    EXPECT_EQ(text(file) == text(other), true) << file << " and " << other << " differ in their bytes";
  }
  static Arguments in(const std::string& folder, const Arguments& more) {
    Arguments arguments = {folder};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  /// What --signal=B:USR1@... sends, at once.
  void signal(const std::string& job) const { EXPECT_EQ(run({"scancel", "--signal=USR1", "--batch", job}).status, 0); }

  /// A posterior, and a stage that goes on only when the file `go` is there.
  void gated_study() const {
    write_text(folder_ / "study.toml", R"([stage.posterior]
engine = "sample"
target = "mixture"
rounds = 6
[stage.gate]
engine = "command"
command = "sh -c 'until [ -e go ]; do sleep 0.1; done'"
needs = ["posterior"]
[stage.after]
engine = "sample"
target = "funnel"
rounds = 5
needs = ["gate"]
)");
  }
  void open_gate() const { write_text(folder_ / "go", ""); }
  bool at_gate() const { return wait_for_lines("run/progress.jsonl", R"("step":"start","run":"gate")", 1); }
  void expect_whole_study() const {
    run_whole("run", {"study.toml"}, "whole");
    for (const char* stage : {"posterior", "after"})
      expect_same_bytes(draws_of("run", stage), draws_of("whole", stage));
    EXPECT_EQ(json("run/manifest.json").at("resumes").size(), 1u);
    EXPECT_EQ(json("run/stages/posterior/manifest.json").value("resumes", nlohmann::json::array()).size(), 0u)
        << "what was done is not done again";
  }
  static std::string draws_of(const std::string& run, const std::string& stage) {
    return run + "/stages/" + stage + "/draws.nc";
  }
};

TEST_F(SlurmRequeue, SignalledJobsGoOnToTheResultsOfUninterruptedRuns) {
  write_tns(folder_ / "x.tns", random_sparse({60, 50, 40}, 20000, 3));
  const Arguments fit = {"x.tns", "--rank", "6", "--iterations", "400", "--tolerance", "0"};
  const Arguments target = {"--target", "mixture", "--rounds", "10"};
  const Arguments half = {"--ntasks-per-node=1"};  // both jobs at the same time
  const std::string first = submit("decompose", half, in("fit", fit));
  const std::string second = submit("sample", half, in("draws", target));
  ASSERT_TRUE(wait_for_lines("fit/progress.jsonl", R"("step":"sweep")", 3)) << output("decompose", first);
  signal(first);
  ASSERT_TRUE(wait_for_lines("draws/progress.jsonl", R"("step":"scan")", 2)) << output("sample", second);
  signal(second);
  ASSERT_EQ(state_at_end(first), "COMPLETED") << output("decompose", first);
  ASSERT_EQ(state_at_end(second), "COMPLETED") << output("sample", second);
  for (const std::string& printed : {output("decompose", first), output("sample", second)}) {
    EXPECT_THAT(printed, HasSubstr("tempera left with status 130"));
    EXPECT_THAT(printed, HasSubstr("going on from checkpoint"));
  }
  EXPECT_EQ(field(first, "Restarts"), "1");
  EXPECT_EQ(field(second, "Restarts"), "1");
  EXPECT_EQ(field(first, "NodeList"), "n[1-2]");

  run_whole("sample", target, "whole-draws");
  expect_same_bytes("draws/draws.nc", "whole-draws/draws.nc");
  run_whole("decompose", fit, "whole-fit");
  const double expected = json("whole-fit/summary.json").at("fit");
  EXPECT_NEAR(json("fit/summary.json").at("fit"), expected, 1e-10);
  EXPECT_EQ(json("fit/summary.json").at("iterations"), 400);
}

TEST_F(SlurmRequeue, ARealTimeLimitSendsTheJobBackIntoTheQueue) {
  gated_study();
  // A minute is the shortest limit; Slurm sends the signal up to half a minute early.
  const std::string job = submit("study", {"--time=1", "--signal=B:USR1@20"}, {"run", "study.toml"});
  ASSERT_TRUE(at_gate()) << output("study", job);
  ASSERT_TRUE(wait_for_restart(job, 1)) << output("study", job);
  open_gate();
  ASSERT_EQ(state_at_end(job), "COMPLETED") << output("study", job);
  EXPECT_THAT(output("study", job), HasSubstr("job " + job + " goes back into the queue"));
  expect_whole_study();
}

TEST_F(SlurmRequeue, ALostNodeSendsTheJobBackIntoTheQueue) {
  gated_study();
  const std::string job = submit("study", {}, {"run", "study.toml"});
  ASSERT_TRUE(at_gate()) << output("study", job);
  const LocalSlurm& slurm = LocalSlurm::shared();
  ASSERT_EQ(::kill(slurm.process_of("slurmd-n2"), SIGKILL), 0);
  ASSERT_TRUE(wait_for_restart(job, 1)) << output("study", job);
  EXPECT_THAT(output("study", job), Not(HasSubstr("goes back into the queue"))) << "Slurm's doing, not the script's";
  EXPECT_EQ(run({"sinfo", "--noheader", "--nodes=n2", "--format=%T"}).out.substr(0, 4), "down");
  ASSERT_EQ(run({"slurmd", "-N", "n2"}).status, 0) << "the node is mended";
  open_gate();
  ASSERT_EQ(state_at_end(job), "COMPLETED") << output("study", job);
  EXPECT_EQ(field(job, "NodeList"), "n[1-2]");
  expect_whole_study();
}

TEST_F(SlurmRequeue, ScancelLeavesAFolderThatTheSameSubmissionGoesOnWith) {
  write_tns(folder_ / "x.tns", random_sparse({60, 50, 40}, 20000, 3));
  const Arguments fit = {"x.tns", "--rank", "6", "--iterations", "300", "--tolerance", "0"};
  Arguments arguments = in("run", fit);
  arguments.insert(arguments.end(), {"--checkpoint-every", "2it"});
  const std::string first = submit("decompose", {"--ntasks-per-node=1"}, arguments);
  ASSERT_TRUE(wait_for_lines("run/progress.jsonl", R"("step":"checkpoint")", 2)) << output("decompose", first);
  EXPECT_EQ(run({"scancel", first}).status, 0);
  EXPECT_EQ(state_at_end(first), "CANCELLED");
  ASSERT_FALSE(std::filesystem::exists(path("run/summary.json")));
  EXPECT_THAT(tempera({"status", "run"}, {.folder = folder_.path()}).out, HasSubstr("tempera resume run"));
  const std::string second = submit("decompose", {"--ntasks-per-node=1"}, arguments);
  ASSERT_EQ(state_at_end(second), "COMPLETED") << output("decompose", second);
  EXPECT_THAT(output("decompose", second), HasSubstr("going on from checkpoint"));
  run_whole("decompose", fit, "whole");
  EXPECT_NEAR(json("run/summary.json").at("fit"), json("whole/summary.json").at("fit"), 1e-10);
}

TEST_F(SlurmRequeue, AJobThatMakesNoProgressComesBackOnce) {
  write_text(folder_ / "stub", "#!/bin/sh\n[ \"$1\" = status ] || exit 130\n");
  std::filesystem::permissions(folder_ / "stub", std::filesystem::perms::owner_all);
  const std::string job = submit("sample", {"--export=ALL,TEMPERA=" + path("stub").string()}, {"run", "--target", "x"});
  EXPECT_EQ(state_at_end(job), "FAILED");
  EXPECT_EQ(field(job, "ExitCode"), "130:0");
  EXPECT_EQ(field(job, "Restarts"), "1");
  EXPECT_THAT(output("sample", job), HasSubstr("two attempts in a row made no progress"));
}

}  // namespace
}  // namespace tempera::test
