#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>

#include "tests/support/data.hpp"
#include "tests/support/process.hpp"
#include "tests/support/running_process.hpp"

namespace tempera::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int kStopped = 130;

/// tempera-batch in a job that is none: mpirun starts one rank, scontrol writes down what it is asked for.
class Batch : public testing::Test {
 protected:
  using Arguments = std::vector<std::string>;

  Batch() {
    fs::create_directory(folder_ / "bin");
    program("mpirun", "shift 6\nexec \"$@\"\n");  // -n RANKS --map-by WHERE --bind-to WHAT
    program("scontrol", "echo \"$@\" >>scontrol.log\n");
  }
  void program(const std::string& name, const std::string& text) const {
    const fs::path path = folder_ / "bin" / name;
    write_text(path, "#!/bin/sh\n" + text);
    ::chmod(path.c_str(), 0755);
  }
  /// In place of tempera: says how far it is, or does `action`.
  void stub(const std::string& action) const {
    program("stub", "[ \"$1\" = status ] && exec cat progress\necho \"$@\" >>calls\n" + action + "\n");
  }

  static Arguments command(const Arguments& arguments) {
    Arguments command = {TEMPERA_SOURCE_DIR "/cluster/slurm/tempera-batch"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }
  ProcessSettings job(int attempt, const std::string& executable = "") const {
    ProcessSettings settings;
    settings.folder = folder_.path();
    settings.environment = {{"PATH", (folder_ / "bin").string() + ":/usr/bin:/bin"},
                            {"SLURM_JOB_ID", "7"},
                            {"SLURM_JOB_NODELIST", "n[1-2]"},
                            {"SLURM_NTASKS", "4"},
                            {"SLURM_CPUS_PER_TASK", std::nullopt},
                            {"SLURM_RESTART_COUNT", std::nullopt},
                            {"TEMPERA_LAUNCH", std::nullopt},
                            {"TEMPERA", executable.empty() ? tempera_executable() : executable}};
    if (attempt > 0) settings.environment.emplace_back("SLURM_RESTART_COUNT", std::to_string(attempt));
    return settings;
  }
  /// With stub() as the executable.
  ProcessResult attempt(int number, const Arguments& arguments = {"run", "decompose", "x.tns"}) const {
    return run_process(command(arguments), job(number, (folder_ / "bin/stub").string()));
  }
  std::string text(const std::string& name) const {
    return fs::exists(folder_ / name) ? read_text(folder_ / name) : "";
  }

  TemporaryFolder folder_;
};

TEST_F(Batch, ASignalledRunGoesBackIntoTheQueueAndOnToTheSameDraws) {
  const Arguments sample = {"sample", "--target", "mixture", "--rounds", "13", "--checkpoint-every", "never"};
  Arguments arguments = {"run"};
  arguments.insert(arguments.end(), sample.begin(), sample.end());
  RunningProcess first(command(arguments), job(0));
  ASSERT_TRUE(wait_until([&] { return occurrences(text("run/progress.jsonl"), "\"scan\"") > 3; }, 60, &first));
  first.signal(SIGUSR1);
  const auto stopped = first.wait();
  ASSERT_EQ(stopped.status, kStopped) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("tempera-batch: job 7 goes back into the queue; then it goes on with run\n"));
  EXPECT_EQ(text("scontrol.log"), "requeue 7\n");

  const auto second = run_process(command(arguments), job(1));
  ASSERT_EQ(second.status, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("going on from checkpoint"));
  EXPECT_EQ(text("scontrol.log"), "requeue 7\n") << "done: no more of it";

  Arguments whole = sample;
  whole.insert(whole.end(), {"--output", "whole"});
  ASSERT_EQ(tempera(whole, {.folder = folder_.path()}).status, 0);
  EXPECT_EQ(text("run/draws.nc") == text("whole/draws.nc"), true) << "draws differ in their bytes";
}

TEST_F(Batch, BeginsUntilThereIsAManifestAndThenResumes) {
  stub("exit 0");
  attempt(0);
  fs::create_directory(folder_ / "run");  // a node was lost before there was a manifest
  write_text(folder_ / "run/lock", "");
  attempt(1);
  write_text(folder_ / "run/manifest.json", "{}");
  write_text(folder_ / "progress", "  \"iteration\": 5\n");
  attempt(2);
  attempt(0);  // another job, by hand
  EXPECT_EQ(text("calls"),
            "decompose x.tns --output run\ndecompose x.tns --output run --overwrite\nresume run\nresume run\n");
}

TEST_F(Batch, RanksThreadsAndBindingAreThoseOfTheAllocation) {
  stub("echo OMP $OMP_NUM_THREADS BLAS $OPENBLAS_NUM_THREADS");
  const auto line = [&](std::vector<std::pair<std::string, std::optional<std::string>>> variables,
                        const std::string& kind = "decompose") {
    ProcessSettings settings = job(0, (folder_ / "bin/stub").string());
    for (const auto& [name, value] : variables) {
      std::erase_if(settings.environment, [&](const auto& variable) { return variable.first == name; });
      settings.environment.emplace_back(name, value);
    }
    const auto result = run_process(command({"run", kind, "x"}), settings);
    const auto from = result.err.find("n[1-2]: ") + 8;
    return result.err.substr(from, result.err.find(" " + (folder_ / "bin/stub").string()) - from) + " | " +
           text("calls").substr(text("calls").rfind('\n', text("calls").size() - 2) + 1) + result.out;
  };
  program("srun", "while [ \"${1#-}\" != \"$1\" ]; do shift; done\nexec \"$@\"\n");
  EXPECT_EQ(line({}), "mpirun -n 4 --map-by slot:PE=1 --bind-to core | decompose x --output run\nOMP 1 BLAS 1\n");
  EXPECT_EQ(line({{"SLURM_CPUS_PER_TASK", "8"}}),
            "mpirun -n 4 --map-by slot:PE=8 --bind-to core | decompose x --output run --threads 8\nOMP 8 BLAS 1\n");
  EXPECT_EQ(line({{"SLURM_CPUS_PER_TASK", "8"}}, "run"),
            "mpirun -n 4 --map-by slot:PE=8 --bind-to core | run x --output run\nOMP 8 BLAS 1\n");
  EXPECT_EQ(line({{"SLURM_NTASKS", std::nullopt}, {"SLURM_TASKS_PER_NODE", "32(x2),16"}}),
            "mpirun -n 80 --map-by slot:PE=1 --bind-to core | decompose x --output run\nOMP 1 BLAS 1\n");
  EXPECT_EQ(line({{"TEMPERA_LAUNCH", "srun"}}),
            "srun --mpi=pmix --ntasks=4 --cpus-per-task=1 --cpu-bind=cores | decompose x --output run\nOMP 1 BLAS 1\n");
}

TEST_F(Batch, StopsAfterTwoAttemptsWithoutProgressButNotWhileThereIsSome) {
  stub("exit 130");
  write_text(folder_ / "progress", "  \"iteration\": 5,\n  \"age_seconds\": 1.5\n");
  EXPECT_EQ(attempt(0).status, kStopped);
  EXPECT_EQ(text("scontrol.log"), "requeue 7\n");
  write_text(folder_ / "progress", "  \"iteration\": 6,\n  \"age_seconds\": 1.5\n");
  EXPECT_EQ(attempt(1).status, kStopped);
  EXPECT_EQ(occurrences(text("scontrol.log"), "requeue"), 2) << "one attempt without progress is not two";
  write_text(folder_ / "progress", "  \"iteration\": 6,\n  \"age_seconds\": 99\n");
  const auto last = attempt(2);
  EXPECT_EQ(last.status, kStopped);
  EXPECT_EQ(occurrences(text("scontrol.log"), "requeue"), 2);
  EXPECT_THAT(last.err, HasSubstr("tempera-batch: two attempts in a row made no progress: there is no third."));
  EXPECT_EQ(attempt(0).status, kStopped);  // another job counts anew
  EXPECT_EQ(occurrences(text("scontrol.log"), "requeue"), 3);
}

TEST_F(Batch, TwoAttemptsUnderWhichNodesFailedCountToo) {
  stub("kill -9 $PPID; exit 0");
  write_text(folder_ / "progress", "  \"iteration\": 5\n");
  EXPECT_NE(attempt(0).status, 0);
  EXPECT_NE(attempt(1).status, 0);
  EXPECT_EQ(occurrences(text("calls"), "decompose"), 2);
  EXPECT_EQ(attempt(2).status, kStopped);
  EXPECT_EQ(occurrences(text("calls"), "decompose"), 2) << "there is no third";
}

TEST_F(Batch, WhatFailsIsNotBegunAgain) {
  for (const int status : {1, 2, 3, 4, 5, 137, 143}) {
    stub(fmt::format("exit {}", status));
    EXPECT_EQ(attempt(0).status, status);
  }
  EXPECT_EQ(text("scontrol.log"), "");
}

TEST_F(Batch, SaysHowToGoOnWhereRequeuingIsForbidden) {
  stub("exit 130");
  program("scontrol", "echo 'Requested operation not supported' >&2\nexit 1\n");
  const auto result = attempt(0);
  EXPECT_EQ(result.status, kStopped);
  EXPECT_THAT(result.err, HasSubstr("could not be requeued; 'sbatch' with the same arguments goes on"));
}

TEST_F(Batch, RefusesWhatItCannotDo) {
  stub("exit 0");
  ProcessSettings alone = job(0, (folder_ / "bin/stub").string());
  std::erase_if(alone.environment, [](const auto& variable) { return variable.first.starts_with("SLURM_JOB"); });
  alone.environment.emplace_back("SLURM_JOB_ID", std::nullopt);
  const auto no_job = run_process(command({"run", "decompose", "x"}), alone);
  EXPECT_EQ(no_job.status, 2);
  EXPECT_EQ(no_job.err,
            "tempera-batch: error: this is no job of Slurm\nhint: begin it with sbatch; without Slurm: mpirun tempera "
            "decompose\n");
  ProcessSettings other = job(0, (folder_ / "bin/stub").string());
  std::erase_if(other.environment, [](const auto& variable) { return variable.first == "TEMPERA_LAUNCH"; });
  other.environment.emplace_back("TEMPERA_LAUNCH", "aprun");
  EXPECT_EQ(run_process(command({"run", "decompose", "x"}), other).err,
            "tempera-batch: error: TEMPERA_LAUNCH is 'aprun'\nhint: it is mpirun or srun\n");
  const auto absent = run_process(command({"run", "decompose", "x"}), job(0, "no/tempera"));
  EXPECT_EQ(absent.status, 2);
  EXPECT_THAT(absent.err, HasSubstr("there is no no/tempera\nhint: set TEMPERA to the path of the executable"));
  for (const Arguments& wrong : std::vector<Arguments>{{}, {"run"}, {"run", "convert"}, {"", "decompose"}}) {
    const auto result = attempt(0, wrong);
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("usage: exec tempera-batch RUN"));
  }
  EXPECT_EQ(text("calls"), "");
  EXPECT_FALSE(fs::exists(folder_ / "run.batch"));
}

}  // namespace
}  // namespace tempera::test
