#include "distributed/checkpoint/generation_index.hpp"
#include "tests/cli/durability_fixture.hpp"
#include "tests/support/full_disk.hpp"

namespace tempera::test {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class DurabilityFaults : public Durability {
 protected:
  static Run short_run() { return {fit("dense.npy", 12, {"--checkpoint-every", "2it"}), 2}; }
};

TEST_F(DurabilityFaults, AFullDiskOfCheckpointsIsToldAndTheRunGoesOnAndSavesAgainWhenThereIsRoom) {
  SmallDisk disk("256k");
  TEMPERA_REQUIRE_MOUNTED(disk);
  const Run run{fit("sparse.tns", 100000, {"--checkpoint-every", "5it", "--checkpoint-dir", (disk / "saved").string()}),
                2};
  RunningProcess job = tempera_in_background(2, decompose(run, "full"), here());
  const auto newest = [&] {
    const auto generations = list_generations(disk / "saved");
    return generations.empty() ? 0 : generations.front().number;
  };
  ASSERT_TRUE(wait_until([&] { return newest() >= 2; }, 60, &job)) << job.wait().err;
  // The disk fills while a checkpoint may be under way: fill until none is.
  ASSERT_TRUE(wait_until(
      [&] {
        disk.fill();
        const int before = newest(), done = sweeps("full");
        return wait_until([&] { return sweeps("full") >= done + 15; }, 60, &job) && newest() == before;
      },
      60, &job))
      << job.wait().err;
  const int kept = newest();
  EXPECT_GE(kept, 2);
  disk.clear();
  ASSERT_TRUE(wait_until([&] { return newest() > kept; }, 60, &job)) << "it tries again";
  job.signal(SIGUSR1);
  const auto result = job.wait();
  EXPECT_EQ(result.status, kStopped) << result.err;
  EXPECT_THAT(result.err, HasSubstr("tempera: warning: no checkpoint: " + disk.path().string()));
  EXPECT_THAT(result.err, HasSubstr("the run goes on, generation "));
  EXPECT_EQ(list_generations(disk / "saved").front().progress.at("iteration"), sweeps("full"));
}

TEST_F(DurabilityFaults, AnInputOutputErrorInAnyStepOfACheckpointCostsOnlyThatCheckpoint) {
  ASSERT_EQ(start_with(short_run(), "counted", {.path = "/counted/checkpoint", .log = path("log")}).status, 0);
  std::map<int, int> calls;
  for (const FileCall& call : read_fault_log(path("log"))) ++calls[call.rank];
  ASSERT_GT(calls[0], 60);
  ASSERT_GT(calls[1], 6);
  RandomStream random(5, "io-error", {});
  for (int trial = 0; trial < 6; ++trial) {
    const int rank = trial % 2;
    const Fault fault{.path = "checkpoint/",
                      .call = static_cast<int>(random.uniform_index(calls[rank])) + 1,
                      .action = trial % 3 == 0   ? "EIO"
                                : trial % 3 == 1 ? "ENOSPC"
                                                 : "EACCES",
                      .more = static_cast<int>(random.uniform_index(6)),
                      .rank = rank};
    SCOPED_TRACE(fault.action + " at call " + std::to_string(fault.call) + " and " + std::to_string(fault.more) +
                 " more on rank " + std::to_string(rank));
    const std::string name = "io-" + std::to_string(trial);
    const auto result = start_with(short_run(), name, fault);
    ASSERT_EQ(result.status, 0) << result.err;
    expect_as_unbroken(name, short_run(), true);
    const int attempts = 6, failed = occurrences(result.err, "tempera: warning: no checkpoint: ");
    EXPECT_EQ(list_generations(path(name) / "checkpoint").size(),
              static_cast<std::size_t>(std::min(2, attempts - failed)));
  }
}

TEST_F(DurabilityFaults, AFolderThatIsRemovedUnderARunIsMadeAgain) {
  const Run run{fit("sparse.tns", 1000, {"--checkpoint-every", "20it"}), 2};
  RunningProcess job = tempera_in_background(2, decompose(run, "removed"), here());
  ASSERT_TRUE(wait_for_sweeps(job, "removed", 30)) << job.wait().err;
  ASSERT_TRUE(wait_until([&] {
    std::error_code ignored;
    fs::remove_all(path("removed"), ignored);  // a checkpoint may be under way in it
    return !fs::exists(path("removed") / "manifest.json");
  }));
  const auto result = job.wait();
  // Either the run made its folder again, or there was nothing to put into it: then it says so. It never lies.
  ASSERT_EQ(result.status, 0) << result.err;
  expect_as_unbroken("removed", run, false);
  EXPECT_EQ(text("removed/factors.h5") == text(unbroken(run) + "/factors.h5"), true);
}

TEST_F(DurabilityFaults, TwoRunsInOneFolderAreRefused) {
  const Run run{fit("sparse.tns", 100000000, {"--checkpoint-every", "50it"}), 2};
  RunningProcess job = tempera_in_background(2, decompose(run, "busy"), here());
  ASSERT_TRUE(wait_for_sweeps(job, "busy", 60)) << job.wait().err;
  for (const Arguments& arguments :
       {decompose(run, "busy"), with(decompose(run, "busy"), {"--overwrite"}), Arguments{"resume", "busy"}}) {
    for (const int ranks : {0, 2}) {
      const auto second = tempera_ranks(ranks, arguments, here());
      EXPECT_EQ(second.status, 5) << second.err;
      EXPECT_THAT(second.err, HasSubstr("tempera: error: busy: is in use by process ")) << ranks;
      EXPECT_EQ(occurrences(second.err, "tempera: error: "), 1);
    }
  }
  const int done = sweeps("busy");
  EXPECT_TRUE(wait_for_sweeps(job, "busy", done + 5)) << "the first is not disturbed";
  job.kill_all();
  // The lock of the dead run is taken over, with a message.
  RunningProcess heir = tempera_in_background(1, {"resume", "busy"}, here());
  ASSERT_TRUE(wait_until([&] { return json("busy/manifest.json").contains("resumes"); }, 60, &heir)) << heir.wait().err;
  ASSERT_TRUE(wait_for_sweeps(heir, "busy", done)) << heir.wait().err;
  heir.signal(SIGUSR1);
  const auto left = heir.wait();
  EXPECT_EQ(left.status, kStopped) << left.err;
  EXPECT_THAT(left.err, HasSubstr("tempera: warning: ")) << "says that it took over a lock";
}

class DurabilityRefusals : public Durability {
 protected:
  void SetUp() override {
    const auto killed = start_with({fit("dense.npy", 20, {"--checkpoint-every", "2it"}), 2}, "run",
                                   {.path = "progress.jsonl", .call = 14, .rank = 0});
    ASSERT_EQ(killed.status, kKilled) << killed.err;
  }
  /// The whole message; the run is as it was and goes on afterwards.
  void expect_refusal(const Arguments& more, int status, const std::string& message) {
    const std::string manifest = text("run/manifest.json");
    const auto one = tempera(with({"resume", "run"}, more), here());
    EXPECT_EQ(one.status, status);
    EXPECT_EQ(one.err, "tempera: error: " + message + "\n");
    EXPECT_EQ(text("run/manifest.json"), manifest);
  }
};

TEST_F(DurabilityRefusals, ChangedOptionsAreRefusedByName) {
  const std::string hint = "\nhint: other options make another result: begin a new run for it";
  expect_refusal({"--rank", "4"}, 2, "--rank: is 3 in this run and cannot become 4" + hint);
  const auto two = resume(2, "run", {"--rank", "4"});
  EXPECT_EQ(two.status, 2);
  EXPECT_EQ(occurrences(two.err, "tempera: error: --rank: is 3 in this run and cannot become 4" + hint + "\n"), 1);
  expect_refusal({"--seed", "1"}, 2, "--seed: is 0 in this run and cannot become 1" + hint);
  expect_refusal({"--tolerance", "0.5"}, 2, "--tolerance: is 0.0 in this run and cannot become 0.5" + hint);
  expect_refusal({"--constraint", "nonnegative"}, 2,
                 "--constraint: is [] in this run and cannot become [\"nonnegative\"]" + hint);
  expect_refusal({"--restarts", "2"}, 2, "--restarts: is 1 in this run and cannot become 2" + hint);
  EXPECT_EQ(resume(3, "run").status, 0);
}

TEST_F(DurabilityRefusals, AChangedInputIsRefused) {
  const std::string before = text("dense.npy");
  std::string changed = before;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  write_text(path("dense.npy"), changed);
  const auto result = resume(2, "run");
  EXPECT_EQ(result.status, 3) << result.err;
  EXPECT_THAT(result.err, HasSubstr("tempera: error: " + path("dense.npy").string() +
                                    ": is not the input this run began with: its SHA-256 is "));
  EXPECT_THAT(result.err, HasSubstr("\nhint: restore the file, or name where it is now with --input\n"));
  write_text(path("moved.npy"), before);
  const auto moved = resume(2, "run", {"--input", "moved.npy"});
  EXPECT_EQ(moved.status, 0) << moved.err;
}

TEST_F(DurabilityRefusals, WhatIsNoRunIsRefused) {
  const auto nothing = tempera({"resume", "nowhere"}, here());
  EXPECT_EQ(nothing.status, 3);
  EXPECT_EQ(nothing.err,
            "tempera: error: nowhere: does not exist\n"
            "hint: name the folder that a run was given with --output; it holds a manifest.json\n");
  const auto folder = tempera({"resume", "."}, here());
  EXPECT_EQ(folder.status, 3);
  EXPECT_EQ(folder.err,
            "tempera: error: .: is not the folder of a run\n"
            "hint: name the folder that a run was given with --output; it holds a manifest.json\n");
}

TEST_F(DurabilityRefusals, ADamagedNewestGenerationFallsBackAloud) {
  const auto generations = list_generations(path("run/checkpoint"));
  ASSERT_EQ(generations.size(), 2u);
  const std::string newest = "run/checkpoint/" + generation_name(generations[0].number);
  const auto damage = [&](const std::string& file) {
    std::string bytes = text(file);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 64);
    write_text(path(file), bytes);
  };
  damage(newest + "/arrays.h5");
  fs::copy(path("run"), path("hopeless"), fs::copy_options::recursive);
  const auto result = resume(2, "run");
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("tempera: warning: " + newest + "/arrays.h5: bytes "));
  EXPECT_THAT(result.err, HasSubstr("going on from generation " + std::to_string(generations[1].number) + " instead"));
  expect_as_unbroken("run", {fit("dense.npy", 20, {"--checkpoint-every", "2it"}), 2}, true);
  damage("hopeless/checkpoint/" + generation_name(generations[1].number) + "/objects.bin");
  const auto hopeless = resume(2, "hopeless");
  EXPECT_EQ(hopeless.status, 3) << hopeless.err;
  EXPECT_THAT(hopeless.err, HasSubstr("no generation of the checkpoint is whole: "));
}

}  // namespace
}  // namespace tempera::test
