#include <csignal>

#include "tests/cli/study_run_fixture.hpp"

namespace tempera::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

class StudyCommands : public StudyRuns {
 protected:
  std::string reason(const std::string& run) const {
    return json("run/summary.json")["stages"][run].value("reason", std::string());
  }
  std::string status(const std::string& run) const { return json("run/summary.json")["stages"][run]["status"]; }
  int failing(const std::string& file, int ranks) const {
    return run({file, "--output", "run", "--overwrite", "--quiet"}, ranks).status;
  }
  /// Processes that carry this word in their environment.
  static int processes_with(const std::string& word) {
    int count = 0;
    for (const auto& entry : fs::directory_iterator("/proc"))
      if (std::isdigit(entry.path().filename().string().front()) != 0 &&
          read_text(entry.path() / "environ").find(word) != std::string::npos)
        ++count;
    return count;
  }
};

TEST_F(StudyCommands, KnowTheirFolderSeedAndNameAndGiveAnObject) {
  script("tell.sh",
         "cat > \"$TEMPERA_STAGE_DIR/read\"\nprintf '%s' \"$1\" > \"$TEMPERA_STAGE_DIR/argument\"\n"
         "echo first\necho \"{\\\"where\\\": \\\"$(pwd -P)\\\", \\\"stage\\\": \\\"$TEMPERA_STAGE\\\", \\\"seed\\\": "
         "$TEMPERA_STAGE_SEED, \\\"ranks\\\": $TEMPERA_RANKS}\"\necho\n");
  const std::string file = study("seed = 7\n" + command("tell", "./tell.sh \"two  words\"", "repeat = 2\n") +
                                 command("use", "echo {tell[repeat=2].where}"));
  start({file}, "run", 3);
  EXPECT_EQ(
      json("run/stages/tell/repeat=2/summary.json"),
      (Json{{"where", fs::canonical(path("in")).string()}, {"stage", "tell[repeat=2]"}, {"seed", 8}, {"ranks", 1}}));
  EXPECT_EQ(text("run/stages/tell/repeat=1/argument"), "two  words");
  EXPECT_EQ(text("run/stages/tell/repeat=1/read"), "") << "standard input is empty";
  EXPECT_EQ(text("run/stages/use/stdout"), fs::canonical(path("in")).string() + "\n");
}

TEST_F(StudyCommands, ThatFailAreRecordedWithTheirReasonsAndTheStudyGoesOn) {
  script("fails.sh", "echo no luck >&2\nexit 3\n");
  script("crashes.sh", "kill -SEGV $$\n");
  script("hangs.sh", "trap '' TERM\nsleep 600 & wait\nsleep 600\n");
  script("rubbish.sh", "echo '{\"value\": '\n");
  script("nan.sh", "echo '{\"value\": NaN}'\n");
  script("bytes.sh", "printf 'x\\377\\376y' >&2\nexit 1\n");
  script("text.sh", "echo 3.5\n");
  script("megabytes.sh", "yes | head -c 3000000\necho\necho '{\"value\": 4}'\n");
  script("gone.sh", "exit 0\n");
  const std::string file =
      study(command("fails", "./fails.sh") + command("crashes", "./crashes.sh") +
            command("hangs", "./hangs.sh", "timeout = \"0.2s\"\n") + command("rubbish", "./rubbish.sh") +
            command("nan", "./nan.sh") + command("bytes", "./bytes.sh") + command("text", "./text.sh") +
            command("megabytes", "./megabytes.sh") + command("removes", "rm gone.sh") +
            command("gone", "./gone.sh", "needs = [\"removes\"]\n") + command("uses", "echo {text.value}") +
            command("needs-failed", "echo {fails.value}") + command("after", "true", "needs = [\"needs-failed\"]\n") +
            command("good", "echo {megabytes.value}"));
  for (const int ranks : {0, 3}) {
    script("gone.sh", "exit 0\n");
    const auto result = run({file, "--output", "run", "--overwrite"}, ranks);
    EXPECT_EQ(result.status, 4) << result.err;
    EXPECT_EQ(occurrences(result.err, "tempera: error: "), 1) << result.err;
    EXPECT_THAT(
        result.err,
        HasSubstr("tempera: error: in/study.toml:1: 8 runs failed, the first of them fails: command: exit status "
                  "3: no luck\nhint: mend that, then 'tempera resume run' runs what has not ended well\n"));
    EXPECT_THAT(result.out, HasSubstr("4 of 14 runs done"));
    EXPECT_EQ(reason("fails"), "command: exit status 3: no luck");
    EXPECT_EQ(reason("crashes"), "command: signal 11 (Segmentation fault)");
    EXPECT_EQ(reason("hangs"), "command: stopped after 200 ms");
    EXPECT_EQ(reason("rubbish"),
              "command: the last line it printed begins like a JSON object, but is none: {\"value\":");
    EXPECT_EQ(reason("nan"),
              "command: the last line it printed begins like a JSON object, but is none: {\"value\": NaN}");
    EXPECT_THAT(reason("bytes"), HasSubstr("command: exit status 1: x"));
    EXPECT_EQ(reason("gone"), "command: './gone.sh' cannot be started: No such file or directory");
    EXPECT_EQ(reason("uses"), "command: the results of 'text' have no 'value'");
    EXPECT_EQ(reason("needs-failed"), "needs fails, which failed");
    EXPECT_EQ(status("needs-failed"), "skipped");
    EXPECT_EQ(reason("after"), "needs needs-failed, which failed");
    for (const char* run : {"text", "megabytes", "removes", "good"}) EXPECT_EQ(status(run), "done") << run;
    EXPECT_EQ(text("run/stages/good/stdout"), "4\n");
    EXPECT_LT(fs::file_size(path("run/stages/megabytes/stdout")), 1100000u);
    EXPECT_EQ(json("run/manifest.json")["exit_status"], 4);
    EXPECT_EQ(starts("run").count("after"), 0u);
  }
}

TEST_F(StudyCommands, LeaveNoChildrenBehind) {
  script("children.sh", "setsid sleep 600 &\nsleep 600 &\necho '{}'\n");
  script("stays.sh", "setsid sleep 600 &\nsleep 600 & wait\n");
  start({study(command("children", "./children.sh"))}, "run", 2);
  EXPECT_EQ(processes_with("TEMPERA_STAGE_DIR=" + fs::absolute(path("run")).string()), 0);
  EXPECT_EQ(failing(study(command("stays", "./stays.sh", "timeout = \"0.2s\"\n")), 2), 4);
  EXPECT_EQ(processes_with("TEMPERA_STAGE_DIR=" + fs::absolute(path("run")).string()), 0);
}

TEST_F(StudyCommands, OnFailureStopBeginsNothingNew) {
  script("fails.sh", "exit 1\n");
  const auto text = [&](const std::string& what) {
    return what + command("fails", "./fails.sh") + command("first", "true", "needs = [\"later\"]\n") +
           command("later", "sleep 0.3");
  };
  EXPECT_EQ(failing(study(text("on_failure = \"stop\"\n")), 0), 4);
  EXPECT_EQ(status("later"), "waiting");
  EXPECT_EQ(failing(study(text("on_failure = \"stop\"\n")), 3), 4);
  EXPECT_EQ(status("later"), "done") << "it ran already, so it comes to its end";
  EXPECT_EQ(status("first"), "waiting");
  EXPECT_EQ(failing(study(text("on_failure = \"continue\"\n")), 3), 4);
  EXPECT_EQ(status("first"), "done");
}

TEST_F(StudyCommands, AMendedOneRunsAgainAndWhatWasDoneDoesNot) {
  script("work.sh", "echo no >&2; exit 1\n");
  const std::string file = study(command("before", "true") + command("work", "./work.sh", "needs = [\"before\"]\n") +
                                 command("after", "echo {work.value}") + command("beside", "true"));
  EXPECT_EQ(failing(file, 2), 4);
  EXPECT_EQ(resume(3, "run").status, 4) << "not mended yet";
  script("work.sh", "echo '{\"value\": 5}'\n");
  const auto result = resume(0, "run");
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(text("run/stages/after/stdout"), "5\n");
  EXPECT_EQ(starts("run"), (std::map<std::string, int>{{"before", 1}, {"work", 3}, {"after", 1}, {"beside", 1}}));
  EXPECT_THAT(ends("run")["work"], ElementsAre("failed", "failed", "done"));
  EXPECT_THAT(ends("run")["after"], ElementsAre("skipped", "skipped", "done"));
  EXPECT_EQ(json("run/manifest.json")["exit_status"], 0);
  EXPECT_EQ(json("run/summary.json")["failed"], 0);
}

}  // namespace
}  // namespace tempera::test
