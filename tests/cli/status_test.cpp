#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <future>
#include <random>

#include "core/base/detail/lock_record.hpp"
#include "core/base/error.hpp"
#include "core/base/folder_lock.hpp"
#include "drivers/commands/status/progress_tail.hpp"
#include "drivers/commands/status/run_status.hpp"
#include "drivers/commands/status/status_text.hpp"
#include "tests/cli/decompose_fixture.hpp"

namespace tempera::drivers {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// 2026-01-31T13:00:00Z
constexpr double kNow = 1769864400;

/// A run folder written by hand: decompose, 3 starts of at most 100 sweeps.
class Status : public testing::Test {
 protected:
  Status() { fs::create_directory(run_); }

  void write_manifest(const ordered_json& changes = {}) const {
    ordered_json manifest{{"schema", 1},
                          {"mpi_ranks", 4},
                          {"command", "decompose"},
                          {"options", {{"values", {{"iterations", 100}, {"restarts", 3}}}}},
                          {"input", {{"path", "/data/t.tns.gz"}, {"sha256", "00"}}},
                          {"start", "2026-01-31T12:00:00Z"},
                          {"end", nullptr},
                          {"exit_status", nullptr}};
    if (changes.is_object()) manifest.update(changes);
    test::write_text(run_ / "manifest.json", manifest.dump());
  }
  static std::string sweep(int restart, int iteration, double fit, double seconds) {
    return ordered_json{{"step", "sweep"}, {"restart", restart}, {"iteration", iteration},
                        {"fit", fit},      {"change", 3.1e-6},   {"seconds", seconds}}
               .dump() +
           "\n";
  }
  void write_progress(const std::string& text) const { test::write_text(run_ / "progress.jsonl", text); }
  /// Sweeps 1 to 57 of the second start, 0.75 s each.
  void write_sweeps() const {
    std::string text;
    for (int i = 1; i <= 57; ++i) text += sweep(1, i, 0.8 + 0.0001 * i, 50 + 0.75 * i);
    write_progress(text);
  }
  void write_generation(int number, int sweep, const fs::path& folder = {}) const {
    GenerationIndex index;
    index.generation = number;
    index.written = "2026-01-31T12:59:48Z";
    index.progress = {{"step", "sweep"}, {"restart", 1}, {"iteration", sweep}, {"fit", 0.805}, {"seconds", 87.5}};
    index.files.push_back({"arrays.h5", false, 1 << 20, {}});
    const fs::path path = (folder.empty() ? run_ / "checkpoint" : folder) / generation_name(number);
    fs::create_directories(path);
    test::write_text(path / "index.json", to_text(index));
  }
  void write_lock(const std::function<void(LockOwner&)>& change) const {
    LockOwner owner = detail::this_process("tempera decompose");
    owner.pid = 1234;
    owner.started = "2026-01-31T12:00:00Z";
    change(owner);
    test::write_text(run_ / "lock", detail::lock_text(owner).text);
  }
  RunStatus read() const { return read_run_status(run_, kNow); }
  std::string text() const { return status_text(read()); }
  std::string path() const { return run_.string(); }

  test::TemporaryFolder folder_;
  fs::path run_ = folder_ / "run";
};

TEST_F(Status, OfARunningOneTellsHowFarHowFastAndHowToStopIt) {
  write_manifest({{"resumes", {{{"start", "2026-01-31T12:30:00Z"}, {"mpi_ranks", 2}, {"generation", nullptr}}}}});
  write_sweeps();
  write_generation(6, 40);
  write_generation(7, 50);
  const FolderLock lock(run_, "tempera decompose");
  const LockOwner owner = FolderLock::inspect(run_)->owner;
  EXPECT_EQ(text(),
            "tempera decompose of /data/t.tns.gz\n"
            "  state       running, process " +
                std::to_string(owner.pid) + " on " + owner.host +
                ", 2 MPI ranks\n"
                "  started     2026-01-31T12:00:00Z, resumed once\n"
                "  progress    start 2 of 3, sweep 57 of at most 100, 1 min 33 s of computing\n"
                "  last step   fit 0.8057, change 3.1e-06\n"
                "  speed       750 ms a sweep, at most 1 min 47 s left\n"  // 43 + 100 sweeps
                "  checkpoint  start 2 of 3, sweep 50, 12.0 s ago, 1.00 MiB; 2 generations\n"
                "  next        'kill -USR1 " +
                std::to_string(owner.pid) + "' on " + owner.host + " makes it write a checkpoint and stop\n");
  EXPECT_EQ(status_line(read()),
            "running; start 2 of 3, sweep 57 of at most 100; fit 0.8057, change 3.1e-06; "
            "750 ms a sweep, at most 1 min 47 s left; checkpoint: start 2 of 3, sweep 50");
}

TEST_F(Status, OfARunningOneWithoutStepsSaysSo) {
  write_manifest();
  const FolderLock lock(run_, "tempera decompose");
  EXPECT_THAT(text(), AllOf(HasSubstr("  progress    no step is done yet\n"), HasSubstr("  checkpoint  none\n")));
}

TEST_F(Status, OfOneOnAnotherMachineGoesByItsSignOfLife) {
  write_manifest();
  write_lock([](LockOwner& owner) { owner.host = "node7"; });
  EXPECT_EQ(read().state, RunState::running);
  EXPECT_THAT(text(), HasSubstr("  state       running, process 1234 on node7, 4 MPI ranks, last sign of life "));
  timespec old[2]{};
  ::clock_gettime(CLOCK_REALTIME, &old[0]);
  old[0].tv_sec -= 300;
  old[1] = old[0];
  ASSERT_EQ(::utimensat(AT_FDCWD, (run_ / "lock").c_str(), old, 0), 0);
  EXPECT_EQ(read().state, RunState::died);
  EXPECT_THAT(text(),
              HasSubstr("  state       died, as it seems: of process 1234 on node7 the last sign of life 5 min 0"));
}

TEST_F(Status, OfADeadOneNamesTheWayOn) {
  write_manifest();
  write_sweeps();
  write_lock([](LockOwner& owner) { ++owner.process_start; });
  EXPECT_THAT(
      text(),
      AllOf(HasSubstr("  state       died: process 1234 on "), HasSubstr(" is gone and has not said how it ended\n"),
            EndsWith("  next        'tempera resume " + path() + "' starts it over, for there is no checkpoint\n")));
  write_generation(7, 50);
  EXPECT_THAT(text(), EndsWith("  next        'tempera resume " + path() +
                               "' goes on from the checkpoint, on any number of MPI ranks\n"));
  fs::remove(run_ / "lock");
  EXPECT_THAT(text(),
              HasSubstr("  state       died: it has not said how it ended, and no process works in the folder\n"));
}

TEST_F(Status, OfAnEndedOneTellsHowItEnded) {
  write_sweeps();
  write_generation(7, 50);
  const auto end = [&](int status) {
    write_manifest({{"end", "2026-01-31T12:50:00Z"}, {"exit_status", status}});
    return text();
  };
  EXPECT_THAT(end(130), AllOf(HasSubstr("  state       stopped after a checkpoint\n"),
                              HasSubstr("  started     2026-01-31T12:00:00Z, ended 2026-01-31T12:50:00Z\n"),
                              HasSubstr("' goes on from the checkpoint, on any number of MPI ranks\n")));
  EXPECT_THAT(end(5), AllOf(HasSubstr("  state       failed with exit status 5\n"),
                            HasSubstr("' goes on from the checkpoint, on any number of MPI ranks, once the cause is "
                                      "mended\n")));
  test::write_text(run_ / "summary.json", R"({"fit":0.9,"stopped":"stopped at the limit of sweeps","seconds":3.5})");
  EXPECT_THAT(end(0),
              AllOf(HasSubstr("  state       finished\n"),
                    HasSubstr("  result      fit 0.9, stopped at the limit of sweeps\n"), Not(HasSubstr("speed")),
                    EndsWith("  next        the results are in " + path() + "/summary.json; 'tempera resume " + path() +
                             " --iterations N' extends it, N above 100\n")));
}

TEST_F(Status, AnOldEndDoesNotHideAProcessThatResumes) {
  write_manifest({{"end", "2026-01-31T12:50:00Z"}, {"exit_status", 130}});
  write_lock([](LockOwner& owner) {
    owner.host = "node7";
    owner.started = "2026-01-31T12:59:00Z";
  });
  EXPECT_EQ(read().state, RunState::running);
  write_lock([](LockOwner& owner) { owner.host = "node7"; });
  EXPECT_EQ(read().state, RunState::stopped) << "the lock of the process that has just ended";
}

TEST_F(Status, SpeedIsThatOfTheLastStepsOfThisPart) {
  write_manifest();
  std::string log;
  for (int i = 1; i <= 30; ++i) log += sweep(0, i, 0.5, i < 15 ? 10.0 * i : 150 + 2.0 * i);
  write_progress(log);
  EXPECT_DOUBLE_EQ(*read().seconds_per_iteration, 2);
  EXPECT_DOUBLE_EQ(*read().seconds_left, 2 * (70 + 200));
  log += R"({"step":"resume","generation":3,"mpi_ranks":2})"
         "\n";
  write_progress(log);
  EXPECT_FALSE(read().seconds_per_iteration);
  EXPECT_EQ(read().step["iteration"], 30);
  log += sweep(0, 21, 0.5, 200) + sweep(0, 22, 0.5, 205);
  write_progress(log);
  EXPECT_DOUBLE_EQ(*read().seconds_per_iteration, 5);
  log += R"({"step":"checkpoint","generation":4,"bytes":5,"seconds":0.5})"
         "\n" +
         sweep(1, 1, 0.5, 210);
  write_progress(log);
  EXPECT_DOUBLE_EQ(*read().seconds_per_iteration, 5) << "a new start goes on at the same speed";
  EXPECT_EQ(read().step["restart"], 1);
}

TEST_F(Status, KnowsStepsOfEnginesToComeByTheirCommonFields) {
  write_manifest({{"command", "sample"}});
  write_progress(R"({"step":"round","iteration":3,"barrier":4.5,"seconds":10})"
                 "\n"
                 R"({"step":"round","iteration":4,"barrier":4.25,"note":"adapted","list":[1],"seconds":26})"
                 "\n");
  EXPECT_THAT(text(),
              AllOf(StartsWith("tempera sample of "), HasSubstr("  progress    round 4, 26.0 s of computing\n"),
                    HasSubstr("  last step   barrier 4.25, adapted\n"), HasSubstr("  speed       16.0 s a round\n")));
}

TEST_F(Status, ReadsOnlyTheEndOfALongLog) {
  write_manifest();
  std::string log = "{\"step\":\"sweep\",\"iteration\":1}\n";
  while (log.size() < (1 << 20)) log += "{\"filler\":\"" + std::string(1000, 'x') + "\"}\n";
  write_progress(log);
  EXPECT_TRUE(read().step.empty()) << "farther back than a monitor reads";
  write_progress(log + sweep(0, 7, 0.5, 7) + sweep(0, 8, 0.5, 9) + R"({"step":"sweep","restart":0,"itera)");
  EXPECT_EQ(read().step["iteration"], 8) << "the torn line is no step";
  EXPECT_DOUBLE_EQ(*read().seconds_per_iteration, 2);
  write_progress(std::string(1 << 20, 'x'));
  EXPECT_TRUE(read().step.empty());
}

TEST_F(Status, FindsCheckpointsElsewhereAndThoseOfAFolderThatMoved) {
  write_generation(3, 30, folder_ / "fast");
  write_manifest({{"checkpoint_folder", (folder_ / "fast").string()}});
  EXPECT_THAT(text(), HasSubstr("  checkpoint  start 2 of 3, sweep 30, 12.0 s ago, 1.00 MiB; 1 generation\n"));
  write_generation(5, 35, run_ / "inside");
  write_manifest({{"checkpoint_folder", "inside"}});
  EXPECT_THAT(text(), HasSubstr("  checkpoint  start 2 of 3, sweep 35, "));
  write_generation(4, 40);
  write_manifest({{"checkpoint_folder", (folder_ / "before/checkpoint").string()}});
  EXPECT_THAT(text(), HasSubstr("  checkpoint  start 2 of 3, sweep 40, "));
}

TEST_F(Status, CountsCheckpointsThatCannotBeRead) {
  write_manifest();
  write_generation(6, 40);
  write_generation(7, 50);
  test::write_text(run_ / "checkpoint/generation-000007/index.json", "{\"format\":1,\"gen");
  EXPECT_THAT(text(), HasSubstr("sweep 40, 12.0 s ago, 1.00 MiB; 1 generation, 1 more cannot be read\n"));
  fs::remove_all(run_ / "checkpoint/generation-000006");
  EXPECT_THAT(text(), HasSubstr("  checkpoint  none that can be read\n"));
}

TEST_F(Status, SaysWhatItCanOfDamagedFiles) {
  write_manifest({{"command", "de\x1b[2Jcompose"}, {"mpi_ranks", "four"}, {"resumes", 7}, {"options", "none"}});
  write_sweeps();
  EXPECT_THAT(text(), AllOf(StartsWith("tempera de [2Jcompose of "), HasSubstr("  progress    sweep 57, ")));
  for (const std::string& manifest : {std::string(), std::string("{\"schema\":"), std::string("[]"),
                                      std::string("\xff\xfe"), std::string(100000, '[')}) {
    test::write_text(run_ / "manifest.json", manifest);
    EXPECT_THAT(text(), AllOf(StartsWith("run in " + path() + "\n"), HasSubstr("sweep 57, 1 min 33 s of computing\n"),
                              HasSubstr("  note        manifest.json cannot be read\n")));
  }
  fs::remove(run_ / "manifest.json");
  EXPECT_THAT(text(), HasSubstr("  note        there is no manifest.json yet\n"));
}

TEST_F(Status, NeverCrashesOnFlippedBytes) {
  write_manifest();
  write_sweeps();
  write_generation(6, 40);
  write_generation(7, 50);
  write_lock([](LockOwner&) {});
  test::write_text(run_ / "summary.json", R"({"fit":0.9,"stopped":"converged","seconds":3.5})");
  std::mt19937 random(7);
  for (int round = 0; round < 600; ++round) {
    const char* names[] = {"manifest.json", "progress.jsonl", "lock", "summary.json",
                           "checkpoint/generation-000007/index.json"};
    const fs::path file = run_ / names[round % 5];
    const std::string sound = test::read_text(file);
    std::string damaged = sound;
    for (unsigned flips = 1 + random() % 4; flips > 0; --flips)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    if (round % 3 == 0) damaged.resize(random() % damaged.size());
    test::write_text(file, damaged);
    const RunStatus status = read();
    EXPECT_THAT(status_text(status), HasSubstr("  state       ")) << "seed 7, round " << round;
    EXPECT_TRUE(status_json(status).contains("state"));
    EXPECT_FALSE(status_line(status).empty());
    test::write_text(file, sound);
  }
}

TEST_F(Status, RefusesWhatIsNoRunFolder) {
  const auto expect = [&](const fs::path& folder, const std::string& what) {
    const auto result = test::tempera({"status", folder.string()});
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err, "tempera: error: " + folder.string() + ": " + what +
                              "\nhint: name the folder that --output named: the one with manifest.json\n");
  };
  expect(folder_ / "absent", "no such folder");
  expect(run_, "is not the folder of a run: it has no manifest.json");
  expect(test::write_text(folder_ / "file", ""), "is not a folder");
  expect(folder_ / std::string(300, 'x'), "cannot be read: File name too long");
  const auto none = test::tempera({"status"});
  EXPECT_EQ(none.status, 2);
}

TEST_F(Status, AsJsonHasUnitsInItsKeys) {
  write_manifest({{"exit_status", 130}, {"end", "2026-01-31T12:50:00Z"}});
  write_sweeps();
  write_generation(7, 50);
  const auto result = test::tempera({"status", path(), "--json"});
  EXPECT_EQ(result.status, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["state"], "stopped");
  EXPECT_EQ(json["exit_status"], 130);
  EXPECT_EQ(json["step"]["iteration"], 57);
  EXPECT_EQ(json["limit"], 100);
  EXPECT_EQ(json["starts"], 3);
  EXPECT_DOUBLE_EQ(json["seconds_per_iteration"], 0.75);
  EXPECT_DOUBLE_EQ(json["seconds_left_at_most"], 0.75 * 143);
  EXPECT_EQ(json["checkpoint"]["generation"], 7);
  EXPECT_EQ(json["checkpoint"]["bytes"], 1 << 20);
  EXPECT_TRUE(json["lock"].is_null());
}

TEST_F(Status, ReadsOnlyAndPrintsOnceInAJob) {
  write_manifest();
  write_sweeps();
  write_generation(7, 50);
  ASSERT_EQ(::chmod(path().c_str(), 0555), 0);
  const auto once = test::tempera({"status", path(), "--json"});
  const auto result = test::tempera_ranks(2, {"status", path()});
  ::chmod(path().c_str(), 0755);
  EXPECT_EQ(once.status, 0);
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(test::occurrences(result.out, "tempera decompose of "), 1);
}

TEST_F(Status, FollowingPrintsEachChangeAndLeavesWithTheRun) {
  write_manifest();
  std::string log = sweep(0, 1, 0.5, 1);
  write_progress(log);
  auto lock = std::make_unique<FolderLock>(run_, "tempera decompose");
  const fs::path out = folder_ / "out";
  auto monitor = std::async(std::launch::async, [&] {
    return test::run_process(
        {"sh", "-c", "exec \"$0\" status \"$1\" --follow > \"$2\"", test::tempera_executable(), path(), out.string()});
  });
  const auto printed = [&](const std::string& part) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < end)
      if (fs::exists(out) && test::read_text(out).find(part) != std::string::npos) return true;
    return false;
  };
  EXPECT_TRUE(printed("sweep 1 of at most 100"));
  write_progress(log += sweep(0, 2, 0.6, 2));
  EXPECT_TRUE(printed("\nrunning; start 1 of 3, sweep 2 of at most 100; fit 0.6, "));
  write_manifest({{"exit_status", 130}, {"end", "2026-01-31T12:50:00Z"}});
  lock.reset();
  const auto result = monitor.get();
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_FALSE(result.timed_out);
  EXPECT_THAT(test::read_text(out), HasSubstr("  state       stopped after a checkpoint\n"));
}

TEST_F(Status, FollowingOneThatDoesNotRunLeavesAtOnce) {
  write_manifest({{"exit_status", 0}, {"end", "2026-01-31T12:50:00Z"}});
  const auto result = test::tempera({"status", path(), "--follow", "--json"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(test::occurrences(result.out, "\n"), 1);
  EXPECT_EQ(nlohmann::json::parse(result.out)["state"], "finished");
}

TEST(StatusTimes, AreReadAsUtc) {
  EXPECT_EQ(utc_seconds("1970-01-02T00:00:01Z"), 86401);
  EXPECT_EQ(utc_seconds("2026-01-31T13:00:00Z"), kNow);
  for (const char* text : {"", "now", "2026-01-31", "2026-01-31T13:00:00Zx"}) EXPECT_FALSE(utc_seconds(text)) << text;
}

using StatusCommand = test::DecomposeCommand;

TEST_F(StatusCommand, OfARealRunTellsItsResult) {
  ASSERT_EQ(decompose({good(), "--rank", "2", "--output", "run", "--iterations", "5", "--quiet"}).status, 0);
  const auto result = test::tempera({"status", "run"}, {.seconds = 60, .folder = folder_.path(), .environment = {}});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out,
              AllOf(StartsWith("tempera decompose of "), HasSubstr("  state       finished\n"),
                    HasSubstr("  progress    sweep "), HasSubstr(" of at most 5, "),
                    HasSubstr(fmt::format("  result      fit {:.6g}, ", json("run/summary.json")["fit"].get<double>())),
                    HasSubstr("  next        the results are in run/summary.json")));
}

}  // namespace
}  // namespace tempera::drivers
