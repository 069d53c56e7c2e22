#include <fmt/format.h>

#include <chrono>

#include "core/base/detail/lock_record.hpp"
#include "core/base/folder_lock.hpp"
#include "distributed/checkpoint/generation_index.hpp"
#include "distributed/checkpoint/journal_file.hpp"
#include "drivers/commands/status/status_text.hpp"
#include "drivers/commands/status/study_status.hpp"
#include "drivers/commands/status/study_status_text.hpp"
#include "tests/cli/study_fixture.hpp"

namespace tempera::drivers {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr double kNow = 1769864400;  // 2026-01-31T13:00:00Z

/// The run folder of a study, written by hand: fit[repeat=1] is done, fit[repeat=2] and search run since 12:59:00.
class StudyStatusFolder : public test::StudyFiles {
 protected:
  StudyStatusFolder() {
    fs::create_directories(run_ / "stages");
    test::write_text(run_ / "study.toml",
                     "title = \"Two\"\n" + test::decompose_stage("fit", "repeat = 3\nranks = 1\n") +
                         test::search_stage("needs = [\"tools\"]\nranks = 2\n") +
                         test::decompose_stage("factor", "rank = \"{rank}\"\n") + test::command_stage("tools") +
                         test::command_stage("last", "needs = [\"fit\"]\n"));
    write_manifest({});
    session(0, 5);
    start(0.5, "fit[repeat=1]", 1, 1);
    start(0.5, "tools", 0, 1);
    end(1, "tools", "done");
    end(100, "fit[repeat=1]", "done");
    start(3540, "fit[repeat=2]", 1, 1);
    start(3540, "search", 2, 3);
    write_run("fit/repeat=1", "decompose", {});
    write_json("fit/repeat=1/summary.json", {{"command", "decompose"}, {"rank", 16}, {"fit", 0.75}});
    write_json("tools/summary.json", {{"value", 3}});
    write_run("fit/repeat=2", "decompose", {{"iterations", 100}});
    write_progress("fit/repeat=2", "sweep", 57, {{"fit", 0.8123}});
    write_generation("fit/repeat=2", 50);
    write_run("search", "optimize", {{"budget", 8}, {"ranks-per-trial", 1}});
    write_progress("search", "trial", 2, {{"best_value", 0.5}});
    test::write_text(stages() / "search/trials.jsonl",
                     "{\"number\":0,\"value\":0.7,\"point\":{\"rank\":2}}\n"
                     "{\"number\":1,\"value\":0.5,\"point\":{\"rank\":3}}\n");
    JournalFile trials = JournalFile::create(stages() / "search/journal.jsonl");
    trials.append({{"at_seconds", 0.0}, {"event", "session"}, {"workers", 2}});
    for (const int number : {0, 1, 2, 3})
      trials.append({{"at_seconds", 10.0 * number},
                     {"event", "start"},
                     {"number", number},
                     {"attempt", 0},
                     {"worker", number % 2}});
    for (const int number : {0, 1}) trials.append({{"at_seconds", 40.0}, {"event", "result"}, {"number", number}});
    write_run("search/trials/000002", "decompose", {{"iterations", 10}});
    write_progress("search/trials/000002", "sweep", 4, {{"fit", 0.25}});
  }

  fs::path stages() const { return run_ / "stages"; }
  void write_json(const std::string& path, const ordered_json& json) const {
    fs::create_directories((stages() / path).parent_path());
    test::write_text(stages() / path, json.dump());
  }
  void write_manifest(const ordered_json& changes) const {
    ordered_json manifest{{"mpi_ranks", 5},
                          {"command", "run"},
                          {"study_folder", folder_.path().string()},
                          {"input", {{"path", "/data/two.toml"}}},
                          {"start", "2026-01-31T12:00:00Z"},
                          {"end", nullptr},
                          {"exit_status", nullptr}};
    manifest.update(changes.is_object() ? changes : ordered_json::object());
    test::write_text(run_ / "manifest.json", manifest.dump());
  }
  void write_run(const std::string& run, const std::string& command, const ordered_json& options) const {
    write_json(run + "/manifest.json", {{"command", command},
                                        {"options", {{"values", options}}},
                                        {"start", "2026-01-31T12:59:00Z"},
                                        {"exit_status", nullptr}});
  }
  /// Steps 1 to `last`, half a second each.
  void write_progress(const std::string& run, const std::string& step, int last, const ordered_json& values) const {
    std::string text;
    for (int i = 1; i <= last; ++i) {
      ordered_json line{{"step", step}, {"iteration", i}};
      line.update(values);
      line["seconds"] = 0.5 * i;
      text += line.dump() + "\n";
    }
    test::write_text(stages() / run / "progress.jsonl", text);
  }
  void write_generation(const std::string& run, int sweep) const {
    GenerationIndex index;
    index.generation = 1;
    index.written = "2026-01-31T12:59:48Z";
    index.progress = {{"step", "sweep"}, {"iteration", sweep}};
    index.files.push_back({"arrays.h5", false, 1 << 20, {}});
    const fs::path path = stages() / run / "checkpoint" / generation_name(1);
    fs::create_directories(path);
    test::write_text(path / "index.json", to_text(index));
  }
  /// Of a process that is gone.
  void write_lock(const std::string& boot_id = "") const {
    LockOwner owner = detail::this_process("tempera run");
    if (!boot_id.empty()) owner.boot_id = boot_id;
    owner.pid = 999999999;
    owner.started = "2026-01-31T12:00:00Z";
    test::write_text(run_ / "lock", detail::lock_text(owner).text);
  }

  void session(double at, int ranks) {
    journal_.append({{"at_seconds", at}, {"event", "session"}, {"mpi_ranks", ranks}});
  }
  void start(double at, const std::string& run, int first, int count) {
    journal_.append({{"at_seconds", at}, {"event", "start"}, {"run", run}, {"first_rank", first}, {"ranks", count}});
  }
  void end(double at, const std::string& run, const std::string& status, const ordered_json& more = {}) {
    ordered_json entry{{"at_seconds", at}, {"event", "end"}, {"run", run}, {"status", status}, {"seconds", at}};
    if (more.is_object()) entry.update(more);
    journal_.append(entry);
  }

  StudyStatus read(bool results = false) const { return read_study_status(read_run_status(run_, kNow), kNow, results); }
  std::string text(bool verbose = false) const { return study_status_text(read(verbose), verbose); }

  fs::path run_ = [this] {
    fs::create_directory(folder_ / "run");
    return folder_ / "run";
  }();
  JournalFile journal_ = JournalFile::create(run_ / "journal.jsonl");
};

TEST_F(StudyStatusFolder, OfARunningOneTellsWhoDoesWhat) {
  const FolderLock lock(run_, "tempera run");
  const LockOwner owner = FolderLock::inspect(run_)->owner;
  EXPECT_EQ(text(), fmt::format(
                        R"(tempera run of /data/two.toml
  study       Two
  state       running, process {} on {}, 5 MPI ranks
  started     2026-01-31T12:00:00Z
  progress    2 of 6 runs done, 2 running, 2 waiting
  work        1 h 00 min of work, workers busy 2.4 % of it

  stage   engine     state                         time
  fit     decompose  1 done, 1 running, 1 waiting  1 min 40 s
  search  optimize   running                       -           best so far 0.5 at rank=3
  factor  decompose  trials of search              -
  tools   command    done                          1.00 s      value 3
  last    command    waiting for fit               -

  running
    fit[repeat=2] on rank 1 for 1 min 00 s
      sweep 57 of at most 100; fit 0.8123; 500 ms a sweep, at most 21.5 s left
      checkpoint: sweep 50, 12.0 s ago, 1.00 MiB; 1 generation
    search on ranks 2-4 for 1 min 00 s
      trial 2 of at most 8; best_value 0.5 at rank=3; 500 ms a trial, at most 3.00 s left
      checkpoint: its journal, with 2 results
      trial 2 on rank 3 for 40.0 s, in stages/search/trials/000002
        sweep 4 of at most 10; fit 0.25; 500 ms a sweep, at most 3.00 s left
      trial 3 on rank 4 for 30.0 s

  ranks
    rank 0  master
    rank 1  fit[repeat=2]
    rank 2  search, proposes
    rank 3  search, trial 2
    rank 4  search, trial 3

  next        SIGUSR1 to its mpirun makes all that runs write checkpoints, and the study stop
)",
                        owner.pid, owner.host));
  EXPECT_EQ(study_status_line(read()),
            "running; 2 of 6 runs done, 2 running, 2 waiting; fit[repeat=2]: sweep 57 of at most 100; fit 0.8123; 500 "
            "ms a sweep, "
            "at most 21.5 s left; search: trial 2 of at most 8; best_value 0.5 at rank=3; 500 ms a trial, at most 3.00 "
            "s left");
}

TEST_F(StudyStatusFolder, AfterADeathTellsWhatBrokeOffWhatIsSafeAndHowToGoOn) {
  write_lock();
  const std::string all = text();
  EXPECT_THAT(
      all,
      AllOf(HasSubstr("  state       died: process 999999999 on "),
            HasSubstr(" is gone and has not said how it ended\n"),
            HasSubstr("  progress    2 of 6 runs done, 2 broken off, 2 waiting\n"),
            HasSubstr("  safe        the results of 2 runs, and what 2 runs below go on from\n"),
            HasSubstr("  broken off\n    fit[repeat=2] on rank 1\n      sweep 57 of at most 100; fit 0.8123\n"
                      "      goes on from: sweep 50, 12.0 s ago, 1.00 MiB; 1 generation\n"),
            HasSubstr("    search on ranks 2-4\n"), HasSubstr("      goes on from: its journal, with 2 results\n"),
            HasSubstr(fmt::format("  next        'mpirun -n 5 tempera resume {}' goes on with the 4 runs that are not "
                                  "done, on any number of MPI ranks\n",
                                  run_.string()))));
  EXPECT_THAT(all, AllOf(Not(HasSubstr("\n  ranks\n")), Not(HasSubstr("a sweep, at most"))));
  EXPECT_NEAR(read().trace.seconds(), 3600, 1);  // the lock is new
  fs::remove(run_ / "lock");                     // then the checkpoint of 12:59:48 is the last sign of life
  EXPECT_DOUBLE_EQ(read().trace.seconds(), 3588);
  EXPECT_DOUBLE_EQ(read().busy_fraction, (99.5 + 48 + 3 * 48) / (4 * 3587.5));
}

TEST_F(StudyStatusFolder, AfterAPowerCutSaysThatTheMachineWasStartedAnew) {
  write_lock("that of another boot");
  fs::last_write_time(run_ / "lock", fs::file_time_type::clock::now() - std::chrono::minutes(5));
  EXPECT_THAT(text(),
              AllOf(HasSubstr("  state       died, as it seems: of process 999999999 on "),
                    HasSubstr(" the last sign of life 5 min 0"), HasSubstr("; the machine was started anew since\n"),
                    HasSubstr("  broken off\n    fit[repeat=2] on rank 1\n")));
}

TEST_F(StudyStatusFolder, OfAFailedOneTellsTheReasons) {
  end(3600, "search", "failed", {{"category", 1}, {"where", "two.toml:9"}, {"what", "all trials failed"}});
  end(3650, "fit[repeat=2]", "left");
  write_manifest({{"exit_status", 4}, {"end", "2026-01-31T13:00:00Z"}});
  EXPECT_THAT(text(), AllOf(HasSubstr("  state       failed with exit status 4\n"),
                            HasSubstr("\n  failed\n    search: two.toml:9: all trials failed\n"),
                            HasSubstr("\n  left, to go on later\n    fit[repeat=2] on rank 1\n"),
                            HasSubstr(", once the cause is mended\n")));
}

TEST_F(StudyStatusFolder, TimeLeftIsToldWhenAllThatIsLeftIsKnown) {
  const FolderLock lock(run_, "tempera run");
  EXPECT_FALSE(read().seconds_left);  // nobody knows how long "last" takes
  end(3600, "search", "done");
  end(3600, "fit[repeat=2]", "done");  // "seconds" is 3600: 1850 in the mean of the two
  write_json("search/summary.json", {{"best_value", 0.5}});
  start(3600, "fit[repeat=3]", 1, 1);
  EXPECT_FALSE(read().seconds_left);
  start(3600, "last", 2, 1);
  end(3600, "last", "done");
  write_json("last/summary.json", ordered_json::object());
  const StudyStatus by_others = read();
  EXPECT_DOUBLE_EQ(by_others.seconds_left.value(), 1850);
  EXPECT_FALSE(by_others.left_at_most);
  EXPECT_THAT(study_status_text(by_others, false),
              HasSubstr("  left        about 30 min 50 s, by the runs that are done\n"));
  write_run("fit/repeat=3", "decompose", {{"iterations", 100}});
  write_progress("fit/repeat=3", "sweep", 90, {{"fit", 0.5}});
  EXPECT_DOUBLE_EQ(read().seconds_left.value(), 5);
  EXPECT_THAT(text(), HasSubstr("  left        at most 5.00 s\n"));
}

TEST_F(StudyStatusFolder, VerboseListsAllRunsAndDrawsTheTrace) {
  write_lock();
  EXPECT_THAT(text(true), AllOf(HasSubstr("  fit[repeat=1]  done        rank 1     1 min 40 s  rank 16, fit 0.75\n"),
                                HasSubstr("  fit[repeat=3]  waiting     -          -\n"),
                                HasSubstr("\n  who did what when\n  rank 0   "),
                                HasSubstr("  A fit[repeat=1]   B tools   C fit[repeat=2]   D search   - no trial   . "
                                          "idle\n  ! failed or broken off\n")));
}

TEST_F(StudyStatusFolder, TheTraceShowsWhichRanksOfAnOptimizeRunHaveATrial) {
  start(3540, "other", 1, 1);  // no line of this study: nobody minds
  end(3600, "fit[repeat=2]", "done");
  end(3600, "search", "left");
  const StudyStatus status = read(true);
  // Worker 0 is rank 3 and tries from 0 to 40 and 20 to the end, worker 1 rank 4, from 10 to 40 and 30 to the end.
  ASSERT_EQ(status.trials.size(), 4u);
  EXPECT_EQ(status.trials[0].ranks, (RankSpan{3, 1}));
  EXPECT_EQ(status.trials[0].began, 3540);
  EXPECT_EQ(status.trials[0].ended, 3580);
  EXPECT_EQ(status.trials[3].ranks, (RankSpan{4, 1}));
  EXPECT_EQ(status.trials[3].began, 3570);
  EXPECT_EQ(status.trials[3].ended, 3600);
}

TEST_F(StudyStatusFolder, WithoutItsStudyFileTellsWhatTheJournalKnows) {
  write_lock();
  for (const char* damage : {"", "[stage.fit]\nengine = \"juggle\"\n", "\xff\x00{{{"}) {
    test::write_text(run_ / "study.toml", damage);
    EXPECT_THAT(text(), AllOf(HasSubstr("; runs that have not begun are not shown\n"),
                              HasSubstr("  fit     decompose  1 done, 1 broken off  1 min 40 s\n"),
                              HasSubstr("  search  optimize   broken off"), HasSubstr("goes on from: sweep 50, "),
                              HasSubstr("tempera resume ")));
  }
  fs::remove(run_ / "study.toml");
  EXPECT_THAT(text(), HasSubstr("run/study.toml: "));
}

TEST_F(StudyStatusFolder, DamagedPartsLeaveGapsAndNotes) {
  write_lock();
  test::write_text(run_ / "manifest.json", "{");
  fs::remove_all(stages() / "search");
  test::write_text(stages() / "fit/repeat=2/manifest.json", "[1, 2");
  test::write_text(stages() / "fit/repeat=2/progress.jsonl", "\x01\x02{\"step\":");
  test::write_text(stages() / "fit/repeat=2/checkpoint/generation-000001/index.json", "");
  test::write_text(stages() / "tools/summary.json", "no");
  EXPECT_THAT(
      text(true),
      AllOf(HasSubstr("  note        manifest.json cannot be read\n"),
            HasSubstr("  note        tools is done, but its summary.json cannot be read\n"),
            HasSubstr("    fit[repeat=2] on rank 1\n      goes on from: none that can be read: it begins anew\n"),
            HasSubstr("    search on ranks 2-4\n      goes on from: none: it begins anew\n")));
  const std::string journal = test::read_text(run_ / "journal.jsonl");
  for (std::size_t cut = 0; cut <= journal.size(); cut += 37) {
    test::write_text(run_ / "journal.jsonl", journal.substr(0, cut));
    EXPECT_NO_THROW(text(true)) << cut;
    std::string bent = journal;
    if (cut < bent.size()) bent[cut] = '\x7f';
    test::write_text(run_ / "journal.jsonl", bent);
    EXPECT_THAT(text(true), Not(HasSubstr("\x7f"))) << cut;
  }
  fs::remove(run_ / "journal.jsonl");
  EXPECT_THAT(text(), HasSubstr("  progress    0 of 6 runs done, 6 waiting\n"));
}

TEST_F(StudyStatusFolder, APartOfItSaysWhereTheStudyIs) {
  for (const char* part : {"fit/repeat=2", "search", "search/trials/000002"})
    EXPECT_THAT(status_text(read_run_status(stages() / part, kNow)),
                HasSubstr(fmt::format("  next        it is a part of a study: 'tempera status {}' shows all of it\n",
                                      run_.string())));
}

TEST_F(StudyStatusFolder, AsJsonHasRunsRanksAndTrace) {
  const FolderLock lock(run_, "tempera run");
  const ordered_json json = study_status_json(read());
  EXPECT_EQ(json["state"], "running");
  const ordered_json& study = json["study"];
  EXPECT_EQ(study["title"], "Two");
  EXPECT_EQ(study["stages"][0]["done"], 1);
  EXPECT_EQ(study["stages"][4]["waits_for"], ordered_json({"fit"}));
  const ordered_json& fit = study["instances"][1];
  EXPECT_EQ(fit["run"], "fit[repeat=2]");
  EXPECT_EQ(fit["folder"], "stages/fit/repeat=2");
  EXPECT_EQ(fit["ranks"], ordered_json({1, 1}));
  EXPECT_EQ(fit["step"]["iteration"], 57);
  EXPECT_EQ(fit["checkpoint"]["progress"]["iteration"], 50);
  EXPECT_DOUBLE_EQ(fit["age_seconds"], 60);
  EXPECT_EQ(study["instances"][3]["trials"][0]["number"], 2);
  EXPECT_EQ(study["instances"][3]["best_point"]["rank"], 3);
  EXPECT_EQ(study["ranks"].size(), 5u);
  EXPECT_EQ(study["ranks"][3]["trial"], 2);
  EXPECT_EQ(study["trace"].size(), 4u);
  EXPECT_EQ(study["trace"][0]["end_seconds"], 100);
}

}  // namespace
}  // namespace tempera::drivers
