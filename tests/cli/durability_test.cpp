#include "tests/cli/durability_fixture.hpp"

#include <ctime>

#include "distributed/checkpoint/generation_index.hpp"

namespace tempera::test {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

const std::vector<std::string> kEvery3{"--checkpoint-every", "3it"};

TEST_F(Durability, KillsAtRandomMomentsLoseNothing) {
  struct Case {
    int ranks, killed, resumed;  // killed: an MPI rank, or −1 for all
  };
  // One process without mpirun is 0 ranks.
  const Case cases[] = {{2, -1, 2}, {2, 1, 3}, {3, 0, 1}, {1, 0, 4}, {4, -1, 2}, {0, 0, 0}};
  for (const auto& [ranks, killed, resumed] : cases) {
    SCOPED_TRACE(std::to_string(ranks) + " ranks, kill " + std::to_string(killed) + ", resume on " +
                 std::to_string(resumed));
    RandomStream random(31, "kill-moment", {ranks, killed, resumed});
    const Run run{fit("sparse.tns", 600, {"--checkpoint-every", "20it"}), ranks};
    const std::string name = "killed-" + std::to_string(ranks) + "-" + std::to_string(resumed);
    RunningProcess job = tempera_in_background(ranks, decompose(run, name), here());
    ASSERT_TRUE(wait_for_sweeps(job, name, static_cast<int>(random.uniform_index(150)) + 4)) << job.wait().err;
    if (killed < 0)
      job.kill_all();
    else
      ASSERT_TRUE(job.signal_rank(killed, SIGKILL));
    EXPECT_EQ(job.wait().status, kKilled);
    const int before = sweeps(name);
    const auto result = resume(resumed, name);
    ASSERT_EQ(result.status, 0) << result.err;
    expect_as_unbroken(name, run, ranks == resumed);
    // At most the steps since the last checkpoint are done twice.
    const nlohmann::json from = json(name + "/manifest.json").at("resumes").at(0).at("generation");
    const int generation = from.is_null() ? 0 : from.get<int>();
    EXPECT_GE(20 * generation, before - 21) << "no more is lost than the sweeps since the last checkpoint";
  }
}

TEST_F(Durability, ASignalStopsTheRunAfterACheckpointAndItGoesOn) {
  struct Case {
    int ranks, signal, resumed;
  };
  for (const auto& [ranks, signal, resumed] : {Case{2, SIGUSR1, 2}, Case{0, SIGTERM, 0}, Case{0, SIGINT, 3}}) {
    SCOPED_TRACE("signal " + std::to_string(signal) + " on " + std::to_string(ranks) + " ranks");
    const Run run{fit("sparse.tns", 1000, {"--checkpoint-every", "never"}), ranks};
    const std::string name = "stopped-" + std::to_string(signal);
    RunningProcess job = tempera_in_background(ranks, decompose(run, name), here());
    ASSERT_TRUE(wait_for_sweeps(job, name, 50)) << job.wait().err;
    job.signal(signal);
    const auto stopped = job.wait();
    EXPECT_EQ(stopped.status, kStopped) << stopped.err;
    EXPECT_THAT(stopped.err + stopped.out, HasSubstr("tempera resume " + name));
    EXPECT_FALSE(fs::exists(path(name) / "factors.h5")) << "no results yet";
    EXPECT_EQ(json(name + "/manifest.json").at("exit_status"), kStopped);
    const int done = sweeps(name);
    const auto generations = list_generations(path(name) / "checkpoint");
    ASSERT_EQ(generations.size(), 1u);
    EXPECT_EQ(generations[0].progress.at("iteration"), done) << "nothing is lost at all";
    const auto result = resume(resumed, name);
    ASSERT_EQ(result.status, 0) << result.err;
    expect_as_unbroken(name, run, ranks == resumed);
  }
}

TEST_F(Durability, ATimeLimitStopsTheRunWithACheckpointAndItGoesOn) {
  const Run run{fit("sparse.tns", 100000000), 2};
  for (const bool automatic : {false, true}) {
    const std::string name = automatic ? "allocation" : "limited";
    ProcessSettings settings = here();
    const auto end = std::time(nullptr) + 6;
    if (automatic) settings.environment.emplace_back("SLURM_JOB_END_TIME", std::to_string(end));
    const auto stopped =
        tempera_ranks(2, with(decompose(run, name), {"--time-limit", automatic ? "auto" : "5s"}), settings);
    EXPECT_EQ(stopped.status, kStopped) << stopped.err;
    EXPECT_THAT(stopped.err, HasSubstr("tempera resume " + name));
    const int done = sweeps(name);
    EXPECT_GT(done, 0);
    ASSERT_FALSE(list_generations(path(name) / "checkpoint").empty());
    EXPECT_EQ(list_generations(path(name) / "checkpoint")[0].progress.at("iteration"), done);
    // The limit is this process's own: the run goes on for as long as it is told now.
    const auto again = resume(3, name, {"--time-limit", "5s"});
    EXPECT_EQ(again.status, kStopped) << again.err;
    EXPECT_GT(sweeps(name), done);
  }
}

TEST_F(Durability, AFinishedRunIsExtendedToTheBitsOfALongerOne) {
  for (const int ranks : {1, 2}) {
    const Run run{fit("dense.npy", 9, kEvery3), ranks};
    const Run longer{fit("dense.npy", 20, kEvery3), ranks};
    const std::string name = "extended-" + std::to_string(ranks);
    ASSERT_EQ(start(run, name).status, 0);
    const std::string before = text(name + "/factors.h5");
    const auto again = resume(ranks, name);
    EXPECT_EQ(again.status, 0);
    EXPECT_THAT(again.out, HasSubstr("the run has ended: --iterations was 9, a larger number extends it"));
    EXPECT_EQ(text(name + "/factors.h5") == before, true) << "nothing was done";
    const auto shorter = resume(ranks, name, {"--iterations", "8"});
    EXPECT_EQ(shorter.status, 2);
    EXPECT_THAT(shorter.err, HasSubstr("tempera: error: --iterations: is 9 in this run and cannot become 8\n"
                                       "hint: a run can be extended, not shortened\n"));
    const auto result = resume(ranks, name, {"--iterations", "20"});
    ASSERT_EQ(result.status, 0) << result.err;
    expect_as_unbroken(name, longer, true);
    EXPECT_EQ(fits_of_sweeps(name), fits_of_sweeps(unbroken(longer)));
    // On another number of ranks, once more.
    ASSERT_EQ(resume(3 - ranks, name, {"--iterations", "25"}).status, 0);
    expect_as_unbroken(name, {fit("dense.npy", 25, kEvery3), ranks}, false);
  }
}

// Most slices hold nothing; their rows, and the duals of those, are spread over the ranks anew.
TEST_F(Durability, RowsWithoutDataGoOnAsWell) {
  write_tns(folder_ / "gaps.tns", random_sparse({60, 50, 40}, 60, 8));
  const Run run{fit("gaps.tns", 12,
                    {"--checkpoint-every", "3it", "--constraint", "row-simplex@0", "--constraint", "monotone@1",
                     "--extrapolation", "--dims", "60,50,40"}),
                2};
  for (const int ranks : {2, 3}) {
    const std::string name = "gaps-" + std::to_string(ranks);
    const auto killed = start_with(run, name, {.path = "progress.jsonl", .call = 12, .action = "torn", .rank = 0});
    ASSERT_EQ(killed.status, kKilled) << killed.err;
    const auto result = resume(ranks, name);
    ASSERT_EQ(result.status, 0) << result.err;
    expect_as_unbroken(name, run, ranks == 2);
  }
}

// The call that kills is counted, so each variant breaks at the same place every time: in its second start if it has any.
TEST_F(Durability, EveryVariantGoesOnToTheSameBits) {
  const std::vector<Arguments> variants = {{},
                                           {"--constraint", "nonnegative"},
                                           {"--constraint", "nonnegative@0,2"},
                                           {"--restarts", "3"},
                                           {"--restarts", "2", "--constraint", "nonnegative@1"},
                                           {"--tolerance", "1e-3"},
                                           {"--grid", "1x2x1"},
                                           // Duals, rows without data, fixed scales, what extrapolation remembers.
                                           {"--constraint", "unimodal@0", "--constraint", "nonnegative@0,1"},
                                           {"--constraint", "l1:0.1@0", "--constraint", "row-simplex@2"},
                                           {"--constraint", "smooth:1@1", "--extrapolation"},
                                           {"--constraint", "orthogonal@1", "--constraint", "box:0,1@2"},
                                           {"--restarts", "2", "--constraint", "monotone@0", "--extrapolation"},
                                           {"--constraint", "nonnegative", "--solver", "bpp", "--extrapolation"}};
  int count = 0;
  for (const std::string input : {"sparse.tns", "dense.npy"})
    for (const Arguments& variant : variants) {
      if (input == "sparse.tns" && count >= 4) continue;  // the others differ in nothing that depends on the storage
      const Run run{fit(input, 12, with({"--checkpoint-every", "3it"}, variant)), 2};
      const std::string name = "variant-" + std::to_string(++count);
      SCOPED_TRACE(input + " " + testing::PrintToString(variant));
      // Lines of progress are counted: sweeps and checkpoints.
      const std::string first = variant.empty() ? "" : variant[0];
      const int line = first == "--restarts" ? 25 : first == "--tolerance" ? 6 : 12;
      const auto killed = start_with(run, name, {.path = "progress.jsonl", .call = line, .action = "torn", .rank = 0});
      ASSERT_EQ(killed.status, kKilled) << killed.err;
      const auto result = resume(2, name);
      ASSERT_EQ(result.status, 0) << result.err;
      expect_as_unbroken(name, run, true);
    }
}

TEST_F(Durability, AnExtensionOfSeveralStartsThatIsKilledGoesOnAsOneThatIsNot) {
  for (const std::string seed : {"1", "2"}) {
    const std::string whole = "whole-" + seed, broken = "broken-" + seed;
    const Arguments more{"--checkpoint-every", "2it", "--restarts", "3", "--seed", seed};
    ASSERT_EQ(start({fit("sparse.tns", 6, more), 2}, whole).status, 0);
    EXPECT_LT(json(whole + "/summary.json").at("best_restart"), 2) << "a start with others after it is kept";
    fs::copy(path(whole), path(broken), fs::copy_options::recursive);
    ASSERT_EQ(resume(2, whole, {"--iterations", "20"}).status, 0);
    const auto killed = tempera_ranks(2, {"resume", broken, "--iterations", "20"},
                                      with_fault({.path = "progress.jsonl", .call = 12, .rank = 0}, here()));
    ASSERT_EQ(killed.status, kKilled) << killed.err;
    const auto result = resume(2, broken);
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(text(broken + "/factors.h5") == text(whole + "/factors.h5"), true);
    for (const char* key : {"fit", "iterations", "best_restart", "restart_fits"})
      EXPECT_EQ(json(broken + "/summary.json").at(key), json(whole + "/summary.json").at(key)) << key;
  }
}

TEST_F(Durability, ARunThatWasKilledBeforeItsFirstCheckpointBeginsAnew) {
  const Run run{fit("dense.npy", 10, {"--checkpoint-every", "100it"}), 2};
  const auto killed = start_with(run, "early", {.path = "progress.jsonl", .call = 5, .rank = 0});
  ASSERT_EQ(killed.status, kKilled);
  const auto result = resume(2, "early");
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(json("early/manifest.json").at("resumes").at(0).at("generation"), nullptr);
  expect_as_unbroken("early", run, true);
}

// What a power cut would leave: every file and folder of a generation is on the disk before its rename, by every rank
// that wrote it, and the folder around it after.
TEST_F(Durability, EverythingIsOnTheDiskBeforeAGenerationAppears) {
  const Run run{fit("sparse.tns", 10, kEvery3), 3};
  const auto result = start_with(run, "synced", {.path = "/synced/checkpoint", .log = path("log")});
  ASSERT_EQ(result.status, 0) << result.err;
  std::map<std::pair<int, std::string>, std::string> unsynced;  // rank and file → the last thing done to it
  std::map<std::string, bool> folders;                          // folder → has entries that are not synced
  int generations = 0, published = 0;
  for (const FileCall& call : read_fault_log(path("log"))) {
    const std::string folder = fs::path(call.path).parent_path().string();
    if (call.call == "fsync" || call.call == "fdatasync") {
      unsynced.erase({call.rank, call.path});
      folders[call.path] = false;
      if (call.path.ends_with("/checkpoint")) published = generations;
    } else if (call.call == "write" || call.call == "pwrite" || call.call == "writev" || call.call == "ftruncate") {
      unsynced[{call.rank, call.path}] = call.call;
    } else if (call.call == "open" || call.call == "mkdir") {
      folders[folder] = true;
    } else if (call.call == "rename" && call.second.find("/checkpoint/generation-") != std::string::npos) {
      ++generations;
      for (const auto& [file, what] : unsynced)
        EXPECT_EQ(file.second.starts_with(call.path), false)
            << file.second << ": " << what << " by rank " << file.first << " is not on the disk";
      EXPECT_FALSE(folders[call.path]) << call.path << ": entries are not on the disk";
      EXPECT_EQ(published, generations - 1) << "the one before is on the disk";
    } else if (call.call == "rename") {
      for (const int rank : {0, 1, 2})
        EXPECT_FALSE(unsynced.contains({rank, call.path})) << call.path << " appears before it is on the disk";
      folders[folder] = true;
    }
  }
  EXPECT_GE(generations, 3);
  EXPECT_EQ(published, generations);
}

}  // namespace
}  // namespace tempera::test
