#include "distributed/bayesopt/command_trial.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>

#include "core/base/error.hpp"
#include "tests/cli/command_trial_fixture.hpp"

namespace tempera {
namespace {

using test::CommandTrials;
using test::quoted;
using test::read_text;

TEST_F(CommandTrials, TheLastLineIsTheResult) {
  EXPECT_EQ(run("echo 2.5").value, 2.5);
  EXPECT_EQ(run("echo 2.5").status, TrialStatus::ok);
  EXPECT_EQ(run("printf 2.5").value, 2.5) << "no end of line";
  EXPECT_EQ(run("echo chatter; echo 1; echo ' -3e-2 '; echo; echo '  '").value, -0.03);
  EXPECT_EQ(run("echo 7; echo noise >&2").value, 7);
  options.rules.constraints = {"c1", "c2"};
  const TrialResult result =
      run(R"(echo '{"value": 1, "cost": 3.5, "constraints": {"c2": -1, "c1": 0.25}, "epoch": 9}')");
  EXPECT_EQ(result.status, TrialStatus::ok) << result.reason;
  EXPECT_EQ(result.value, 1);
  EXPECT_EQ(result.cost, 3.5);
  EXPECT_EQ(result.constraints, (std::map<std::string, double>{{"c1", 0.25}, {"c2", -1}}));
  EXPECT_TRUE(result.reason.empty());
}

TEST_F(CommandTrials, EveryFailureHasItsStatusAndReason) {
  const auto text = [&](const std::string& script) {
    const TrialResult result = run(script);
    EXPECT_FALSE(std::isfinite(result.value));
    return test::status_name(result.status) + ": " + result.reason;
  };
  EXPECT_EQ(text("echo 1; exit 3"), "failed: exit status 3");
  EXPECT_EQ(text("echo first >&2; echo 'no memory left' >&2; echo >&2; exit 1"),
            "failed: exit status 1: no memory left");
  EXPECT_EQ(text("printf '\\377\\n' >&2; exit 1"), "failed: exit status 1: \uFFFD");
  EXPECT_EQ(text(R"(echo '{"status": "failed", "reason": "diverged"}')"), "failed: diverged");
  EXPECT_EQ(text(R"(echo '{"status": "failed"}')"), "failed: reported by the trial");
  EXPECT_EQ(text("echo oops >&2; kill -SEGV $$"), "crashed: signal 11 (Segmentation fault): oops");
  EXPECT_EQ(text("kill -KILL $$"), "crashed: signal 9 (Killed)");
  EXPECT_EQ(text(":"), "invalid: there is no result on standard output");
  EXPECT_EQ(text("echo nan"), "invalid: 'nan' is no result: one number or one JSON object expected");
  EXPECT_EQ(text("echo 1 2"), "invalid: '1 2' is no result: one number or one JSON object expected");
  EXPECT_EQ(text("echo 1; echo done"), "invalid: 'done' is no result: one number or one JSON object expected");
  EXPECT_EQ(text("printf '\\377\\376'"),
            "invalid: '\uFFFD\uFFFD' is no result: one number or one JSON object expected");
  options.timeout = 0.02;
  EXPECT_EQ(text("echo 1; echo 'epoch 3' >&2; exec sleep 1000").substr(0, 30), "timeout: stopped after 20.0 ms");
}

TEST(CommandTrialResult, IsReadStrictly) {
  ResultRules rules;
  const auto reason = [&](const char* line) { return read_result(line, rules).reason; };
  for (const char* half : {".5", "0.5", "+.5", "5e-1"}) EXPECT_EQ(read_result(half, {}).value, 0.5) << half;
  EXPECT_EQ(read_result("-2.", {}).value, -2);
  EXPECT_EQ(reason("1e999"), "'1e999' is no result: one number or one JSON object expected");
  EXPECT_EQ(reason("\"1\""), "'\"1\"' is no result: one number or one JSON object expected");
  EXPECT_EQ(reason("[1]"), "'[1]' is no result: one number or one JSON object expected");
  EXPECT_EQ(reason("{}"), "'value' is missing");
  EXPECT_EQ(reason(R"({"value": null})"), "value is null, not a number");
  EXPECT_EQ(reason(R"({"value": "1"})"), "value is \"1\", not a number");
  EXPECT_EQ(reason(R"({"vlaue": 1})"), "unknown key 'vlaue': did you mean 'value'?");
  EXPECT_EQ(reason(R"({"value": 1, "cost": -1})"), "cost is negative");
  EXPECT_EQ(reason(R"({"value": 1, "constraints": {"c": 1}})"), "constraint 'c' is not one of the space");
  EXPECT_EQ(reason(R"({"value": 1, "status": "meh"})"), "status \"meh\" is neither \"ok\" nor \"failed\"");
  EXPECT_EQ(reason(R"({"value": 1, "values": {"value": 1}})"), "both 'value' and 'values' are there");
  rules = {.objective = "accuracy", .maximise = true, .constraints = {"c"}};
  EXPECT_EQ(reason("1"), "constraint 'c' is missing");
  EXPECT_EQ(reason(R"({"value": 1, "constraints": {"c": "x"}})"), "constraint 'c' is \"x\", not a number");
  EXPECT_EQ(reason(R"({"values": {"loss": 1}, "constraints": {"c": 1}})"), "'values' has no 'accuracy'");
  EXPECT_EQ(read_result(R"({"values": {"accuracy": 0.75}, "constraints": {"c": 1}})", rules).value, -0.75)
      << "values are minimised";
}

TEST_F(CommandTrials, ThePointArrivesExactly) {
  const TrialResult result =
      run("cat > \"$TEMPERA_TRIAL_DIR/seen\"; printf '%s|' \"$@\" > \"$TEMPERA_TRIAL_DIR/words\"; pwd > "
          "\"$TEMPERA_TRIAL_DIR/where\"; echo 1",
          "sh --lr={lr} {seed} '{solver}' {flag} '{' '{print $1}' '{{lr}}' {gone}/x");
  ASSERT_EQ(result.status, TrialStatus::ok) << result.reason;
  EXPECT_EQ(read_text(last_folder / "seen"),
            "{\"lr\":1e-05,\"seed\":9007199254740995,\"solver\":\"größe 'x'\",\"flag\":true}\n");
  EXPECT_EQ(read_text(last_folder / "words"), "--lr=1e-05|9007199254740995|größe 'x'|true|{|{print $1}|{lr}|/x|");
  EXPECT_EQ(read_text(last_folder / "where"), std::filesystem::current_path().string() + "\n");
}

TEST_F(CommandTrials, AChildThatDoesNotReadIsNoMatter) {
  EXPECT_EQ(run("exec 0<&-; echo 4").value, 4);
  EXPECT_EQ(run("exec 1>&- 2>&-; exit 0").status, TrialStatus::invalid);
}

TEST_F(CommandTrials, TheChildStartsClean) {
  ::setenv("OMPI_COMM_WORLD_RANK", "3", 1);
  ::setenv("PMIX_RANK", "3", 1);
  ::setenv("OMPI_MCA_btl", "self", 1);
  ::setenv("TEMPERA_TRIAL_DIR", "/elsewhere", 1);
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto old_handler = ::signal(SIGPIPE, SIG_IGN);
  options.environment = {{"TEMPERA_RANKS", "2"}};
  const int leak = ::open("/dev/null", O_RDONLY);  // not closed by exec
  run("echo $OMPI_COMM_WORLD_RANK/$PMIX_RANK/$OMPI_MCA_btl/$TEMPERA_RANKS/$TEMPERA_TRIAL_DIR; ls /proc/self/fd; "
      "exec grep -E 'Sig(Blk|Ign)' /proc/self/status");
  // Without a shell, which would unblock signals itself.
  CommandTrial plain(TrialCommand("grep SigBlk /proc/self/status", space), space, point, folder / "plain", options);
  finish(plain);
  ::close(leak);
  ::signal(SIGPIPE, old_handler);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "OMPI_MCA_btl", "TEMPERA_TRIAL_DIR"}) ::unsetenv(name);
  EXPECT_EQ(read_text(folder / "plain" / "stdout"), "SigBlk:\t0000000000000000\n");
  // The fourth descriptor is the folder that ls reads; two signals of the C library itself may be ignored.
  EXPECT_THAT(read_text(last_folder / "stdout"),
              ::testing::MatchesRegex("//self/2/" + last_folder.string() +
                                      "\n0\n1\n2\n3\nSigBlk:\t0+\nSigIgn:\t0+(00000000|180000000)\n"));
}

TEST_F(CommandTrials, LongOutputIsCutInTheMiddle) {
  options.output_cap = 10000;
  EXPECT_EQ(
      run("echo begin; head -c 100000000 /dev/zero | tr '\\0' x; echo; head -c 1000000 /dev/zero >&2; echo end; echo 5")
          .value,
      5);
  const std::string kept = read_text(last_folder / "stdout");
  EXPECT_EQ(kept.substr(0, 10), "begin\nxxxx");
  EXPECT_EQ(kept.substr(kept.size() - 8), "x\nend\n5\n");
  EXPECT_EQ(test::occurrences(kept, "\n[tempera: 99990013 bytes are left out here]\n"), 1);
  EXPECT_LE(kept.size(), 10100u);
  EXPECT_LE(read_text(last_folder / "stderr").size(), 10100u);
  const TrialResult endless = run("head -c 100000 /dev/zero | tr '\\0' 1");
  EXPECT_EQ(endless.status, TrialStatus::invalid);
  EXPECT_EQ(endless.reason, "the last line of its standard output is too long") << "its end is a number, too";
  EXPECT_EQ(run("head -c 9000 /dev/zero | tr '\\0' '\\n'; echo 6").value, 6);
  EXPECT_EQ(read_text(last_folder / "stdout"), std::string(9000, '\n') + "6\n") << "below the cap nothing is cut";
}

TEST_F(CommandTrials, ChildrenThatLingerAreKilled) {
  EXPECT_EQ(run("sleep 1000 & sleep 1000 & echo 1").value, 1);
  EXPECT_TRUE(no_process_is_left());
  EXPECT_EQ(run("setsid sleep 1000 & while ! grep -qa ^sleep /proc/$!/cmdline; do :; done; echo 2").value, 2);
  EXPECT_TRUE(no_process_is_left()) << "not even one that left the group";
  EXPECT_EQ(run("(trap '' TERM HUP; sleep 1000; sleep 1000) & kill -SEGV $$").status, TrialStatus::crashed);
  EXPECT_TRUE(no_process_is_left());
}

TEST_F(CommandTrials, DeadlinesAskFirstAndThenKill) {
  options.grace = 0.02;
  options.timeout = 0.02;
  EXPECT_EQ(run("trap '' TERM; while :; do sleep 1000; done").status, TrialStatus::timeout);
  EXPECT_TRUE(no_process_is_left());
  options.timeout = std::numeric_limits<double>::infinity();
  options.grace = 1000;
  const auto trial = start(
      "trap 'echo bye > \"$TEMPERA_TRIAL_DIR/bye\"; exit 0' TERM; echo > \"$TEMPERA_TRIAL_DIR/ready\"; "
      "while :; do :; done");
  ASSERT_TRUE(test::wait_until([&] { return std::filesystem::exists(last_folder / "ready"); }));
  EXPECT_FALSE(trial->poll());
  trial->cancel();
  EXPECT_EQ(finish(*trial).status, TrialStatus::cancelled);
  EXPECT_EQ(read_text(last_folder / "bye"), "bye\n") << "it was told by SIGTERM";
  EXPECT_TRUE(no_process_is_left());
}

TEST_F(CommandTrials, GoingOutOfScopeKills) {
  start("sleep 1000 & exec sleep 1000").reset();
  EXPECT_TRUE(no_process_is_left());
}

TEST_F(CommandTrials, StrayProcessesOfALostRunAreFound) {
  auto trial = start("sleep 1000 & echo $! > \"$TEMPERA_TRIAL_DIR/ready\"; exec sleep 1000");
  ASSERT_TRUE(test::wait_until([&] { return std::filesystem::exists(last_folder / "ready"); }));
  EXPECT_EQ(kill_strays(folder.path() / "elsewhere"), 0);
  EXPECT_EQ(kill_strays(last_folder.string().substr(0, last_folder.string().size() - 1)), 0) << "whole names only";
  EXPECT_EQ(kill_strays(folder.path()), 2);
  EXPECT_EQ(finish(*trial).status, TrialStatus::crashed);
  EXPECT_TRUE(no_process_is_left());
}

TEST_F(CommandTrials, WhatCannotBeStartedFails) {
  const std::filesystem::path program = test::write_text(folder / "program", "no script\n");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  const TrialCommand command(program.string(), space);
  const auto reason = [&] {
    CommandTrial trial(command, space, point, folder / "start", options);
    EXPECT_TRUE(trial.poll());
    EXPECT_EQ(trial.result().status, TrialStatus::failed);
    return trial.result().reason;
  };
  EXPECT_EQ(reason(), "'" + program.string() + "' cannot be started: Exec format error");
  std::filesystem::remove(program);
  EXPECT_EQ(reason(), "'" + program.string() + "' cannot be started: No such file or directory");
}

TEST(CommandWords, FollowTheRulesOfTheShell) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(split_command("a b\t c\n"), (Words{"a", "b", "c"}));
  EXPECT_EQ(split_command("a 'b c' \"d e\" f\\ g"), (Words{"a", "b c", "d e", "f g"}));
  EXPECT_EQ(split_command("a '' \"\""), (Words{"a", "", ""}));
  EXPECT_EQ(split_command("a--x='b'\"c\"d"), (Words{"a--x=bcd"}));
  EXPECT_EQ(split_command("a '\\n$x' \"\\n\\$x\\\\\\\"\" \\$x \\\\"), (Words{"a", "\\n$x", "\\n$x\\\"", "$x", "\\"}));
  EXPECT_EQ(split_command("a \"b\\\nc\" d\\\ne"), (Words{"a", "bc", "de"})) << "\\ before the end of a line joins";
  EXPECT_EQ(split_command("a $HOME *.c | b > c; d"), (Words{"a", "$HOME", "*.c", "|", "b", ">", "c;", "d"}));
  EXPECT_EQ(split_command("größe 'ä ö'"), (Words{"größe", "ä ö"}));
}

TEST_F(CommandTrials, CommandsAreCheckedBeforeAnythingStarts) {
  const auto refusal = [&](const std::string& text) {
    try {
      const TrialCommand command(text, space);
    } catch (const Error& problem) {
      EXPECT_EQ(problem.category(), Category::usage);
      return problem.where() + ": " + problem.what_is_wrong() + " | " + problem.hint();
    }
    return std::string("accepted");
  };
  const std::string plain = test::write_text(folder / "plain", "text").string();
  EXPECT_EQ(refusal("sh -c 'echo {lr} {print}'"), "accepted");
  EXPECT_EQ(refusal("{solver} {lr}"), "accepted") << "the program depends on the point";
  EXPECT_EQ(refusal(""), "--command: it names no program | such as --command \"./train --rate {rate}\"");
  EXPECT_EQ(refusal("'' a"), "--command: it names no program | such as --command \"./train --rate {rate}\"");
  EXPECT_EQ(refusal("sh 'a"), "--command: a quote ' is not closed | write a ' itself as \\'");
  EXPECT_EQ(refusal("sh \"a\\\""), "--command: a quote \" is not closed | write a \" itself as \\\"");
  EXPECT_EQ(refusal("sh a\\"), "--command: it ends with a \\ | a \\ that is meant is written \\\\");
  EXPECT_EQ(refusal("no-such-program-here"),
            "--command: 'no-such-program-here' is not found in PATH | name a program in PATH, or give its path");
  EXPECT_EQ(refusal("./no-such-program"),
            "--command: './no-such-program' does not exist | the path is relative to the "
            "folder where tempera is started");
  EXPECT_EQ(refusal(plain),
            "--command: '" + plain + "' is not executable | chmod +x " + plain + ", or name its interpreter first");
  EXPECT_EQ(refusal("/tmp"), "--command: '/tmp' is a folder | name a program in it");
  EXPECT_EQ(
      refusal("sh {solvr}"),
      "--command: '{solvr}' names no parameter | did you mean '{solver}'? braces themselves are written '{{solvr}}'");
}

TEST_F(CommandTrials, HundredsOfEveryKindLeaveNothingBehind) {
  run_many(320, 8);
}

TEST_F(CommandTrials, DISABLED_TenThousandOfEveryKindLeaveNothingBehind) {
  run_many(10000, 16);
}

}  // namespace
}  // namespace tempera
