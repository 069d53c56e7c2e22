#include "tests/support/faults.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <sstream>

#include "tests/support/data.hpp"
#include "tests/support/running_process.hpp"

namespace tempera::test {
namespace {

constexpr int kKilled = 128 + SIGKILL;
constexpr int kCalls = 29;  // that file_calls makes

/// Line k of what file_calls prints is about the k-th call.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class FaultInjection : public testing::Test {
 protected:
  /// file_calls in a fresh folder `sub`.
  ProcessResult run(Fault fault) {
    std::filesystem::remove_all(folder_ / "sub");
    fault.path = (folder_ / "sub").string();
    return run_process({TEMPERA_FILE_CALLS, "sub"}, with_fault(fault, {.folder = folder_.path()}));
  }
  std::size_t size(const std::string& name) const { return read_text(folder_ / "sub" / name).size(); }

  TemporaryFolder folder_;
};

TEST_F(FaultInjection, CountsEveryCallThatChangesFilesByItsName) {
  const auto result = run({.log = folder_ / "log"});
  const auto lines = lines_of(result.out);
  const auto calls = read_fault_log(folder_ / "log");
  ASSERT_EQ(calls.size(), lines.size()) << result.out;
  EXPECT_EQ(calls.size(), static_cast<std::size_t>(kCalls));
  for (std::size_t k = 0; k < calls.size(); ++k) {
    EXPECT_EQ(std::to_string(k + 1) + " " + calls[k].call + " ok", lines[k]);
    EXPECT_EQ(calls[k].number, static_cast<int>(k) + 1);
    EXPECT_TRUE(calls[k].path.starts_with((folder_ / "sub").string())) << "whole path: " << calls[k].path;
  }
  EXPECT_TRUE(run_process({TEMPERA_FILE_CALLS, "sub"},
                          with_fault({.path = "elsewhere", .log = folder_ / "none"}, {.folder = folder_.path()}))
                  .out.size() > 0);
  EXPECT_TRUE(read_fault_log(folder_ / "none").empty());
}

TEST_F(FaultInjection, FailsTheCallsThatAreNamedAndNoOther) {
  const auto names = lines_of(run({}).out);
  for (int k = 1; k <= static_cast<int>(names.size()); ++k) {
    const auto result = run({.call = k, .action = "ENOSPC"});
    const auto lines = lines_of(result.out);
    ASSERT_EQ(result.status, 0) << result.out;
    const std::string& expected = names[static_cast<std::size_t>(k) - 1];
    EXPECT_EQ(lines[static_cast<std::size_t>(k) - 1], expected.substr(0, expected.size() - 2) + "ENOSPC");
    if (k > 1) {
      EXPECT_EQ(lines[static_cast<std::size_t>(k) - 2], names[static_cast<std::size_t>(k) - 2]);
    }
  }
  const auto lines = lines_of(run({.call = 3, .action = "EIO", .more = 2}).out);
  EXPECT_EQ(lines[1], "2 open ok");
  EXPECT_EQ(lines[2], "3 write EIO");
  EXPECT_EQ(lines[3], "4 pwrite EIO");
  EXPECT_EQ(lines[4], "5 writev EIO");
  EXPECT_EQ(lines[5], "6 pwritev ok");
}

TEST_F(FaultInjection, KillsBeforeTheCallOrAfterIt) {
  for (int k = 1; k <= kCalls; ++k)
    for (const std::string action : {"kill", "kill-after", "torn"}) {
      const auto result = run({.call = k, .action = action});
      EXPECT_EQ(result.status, kKilled) << action << " " << k;
      EXPECT_EQ(lines_of(result.out).size(), static_cast<std::size_t>(k) - 1) << action << " " << k;
    }
  run({.call = 1, .action = "kill"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "sub"));
  run({.call = 1, .action = "kill-after"});
  EXPECT_TRUE(std::filesystem::exists(folder_ / "sub"));
}

TEST_F(FaultInjection, ATornWriteLeavesItsFirstHalf) {
  for (int k = 3; k <= 7; ++k) {  // write, pwrite, writev, pwritev, aio_write of ten bytes each
    run({.call = k, .action = "kill"});
    EXPECT_EQ(size("file"), 10 * static_cast<std::size_t>(k - 3));
    run({.call = k, .action = "torn"});
    EXPECT_EQ(size("file"), 10 * static_cast<std::size_t>(k - 3) + 5);
    EXPECT_EQ(read_text(folder_ / "sub/file").substr(10 * static_cast<std::size_t>(k - 3)), "01234");
    run({.call = k, .action = "kill-after"});
    EXPECT_LE(size("file"), 10 * static_cast<std::size_t>(k - 2));
  }
}

TEST_F(FaultInjection, RefusesAnActionThatItDoesNotKnow) {
  const auto result = run({.call = 1, .action = "explode"});
  EXPECT_EQ(result.status, 127);
  EXPECT_EQ(result.err, "fault injection: unknown TEMPERA_FAULT_ACTION 'explode'\n");
}

// Real runs: the files of decompose, HDF5 among them, and one rank of two.
TEST_F(FaultInjection, SeesTheFilesOfARunAndWatchesOneRank) {
  write_text(folder_ / "good.tns", "1 1 1 1.0\n2 2 2 2.0\n3 1 2 0.5\n");
  const std::vector<std::string> arguments{"decompose", "good.tns", "--rank", "1", "--output", "run", "--quiet"};
  const auto result =
      tempera_ranks(2, arguments, with_fault({.path = "/run/", .log = folder_ / "log"}, {.folder = folder_.path()}));
  ASSERT_EQ(result.status, 0) << result.err;
  int hdf5_writes = 0;
  for (const FileCall& call : read_fault_log(folder_ / "log"))
    if (call.call == "pwrite" && call.path.find("factors.h5") != std::string::npos) ++hdf5_writes;
  EXPECT_GT(hdf5_writes, 0);

  std::filesystem::remove_all(folder_ / "run");
  const auto other = tempera_ranks(
      2, arguments, with_fault({.path = "/run/", .call = 1, .action = "kill", .rank = 5}, {.folder = folder_.path()}));
  EXPECT_EQ(other.status, 0) << other.err;
  std::filesystem::remove_all(folder_ / "run");
  const auto killed = tempera_ranks(
      2, arguments, with_fault({.path = "/run/", .call = 3, .action = "kill", .rank = 0}, {.folder = folder_.path()}));
  EXPECT_EQ(killed.status, kKilled) << killed.err;
}

class RunningProcesses : public testing::Test {
 protected:
  /// Endless for the purpose of a test.
  std::vector<std::string> long_run() const {
    write_text(folder_ / "good.tns", "1 1 1 1.0\n2 2 2 2.0\n3 1 2 0.5\n");
    return {"decompose", "good.tns", "--rank",      "2", "--iterations", "100000000",
            "--output",  "run",      "--tolerance", "0", "--overwrite",  "--quiet"};
  }
  int lines() const { return occurrences(read_text(folder_ / "run/progress.jsonl"), "\n"); }
  bool swept(const RunningProcess& process, int count) const {
    return wait_until([&] { return lines() >= count; }, 60, &process);
  }
  TemporaryFolder folder_;
};

TEST_F(RunningProcesses, OneRankIsKilledAndTheJobEnds) {
  RunningProcess job = tempera_in_background(3, long_run(), {.folder = folder_.path()});
  ASSERT_TRUE(swept(job, 5));
  ASSERT_EQ(job.ranks().size(), 3u);
  EXPECT_TRUE(job.signal_rank(2, SIGKILL));
  const auto result = job.wait();
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(result.status, kKilled) << result.err;
  EXPECT_FALSE(job.is_running());
  EXPECT_FALSE(job.signal_rank(1, SIGKILL)) << "it is gone as well";
}

TEST_F(RunningProcesses, AllRanksAreKilledWithMpirun) {
  RunningProcess job = tempera_in_background(2, long_run(), {.folder = folder_.path()});
  ASSERT_TRUE(swept(job, 5));
  const auto ranks = job.ranks();
  job.kill_all();
  ASSERT_EQ(ranks.size(), 2u);
  for (const pid_t rank : ranks)
    EXPECT_EQ(read_text("/proc/" + std::to_string(rank) + "/cmdline"), "") << "gone, or waited for by nobody yet";
  const int before = lines();
  EXPECT_EQ(job.wait().status, kKilled);
  EXPECT_EQ(lines(), before) << "nobody writes any more";
}

TEST_F(RunningProcesses, AProcessWithoutMpirunIsItsOwnRankZero) {
  RunningProcess job = tempera_in_background(0, long_run(), {.folder = folder_.path()});
  ASSERT_TRUE(swept(job, 1));
  EXPECT_TRUE(job.ranks().empty());
  EXPECT_FALSE(job.signal_rank(1, SIGKILL));
  EXPECT_TRUE(job.signal_rank(0, SIGKILL));
  EXPECT_EQ(job.wait().status, kKilled);
}

TEST_F(RunningProcesses, WaitingEndsWhenTheTimeIsOver) {
  RunningProcess job = tempera_in_background(2, long_run(), {.folder = folder_.path()});
  ASSERT_TRUE(swept(job, 1));
  const auto result = job.wait(0.01);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.status, kKilled);
  EXPECT_FALSE(wait_until([] { return false; }, 0.01));
  EXPECT_FALSE(wait_until([] { return false; }, 1e6, &job)) << "it has ended";
}

}  // namespace
}  // namespace tempera::test
