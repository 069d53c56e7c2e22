#include <tuple>

#include "tests/cli/optimize_fixture.hpp"

namespace tempera::test {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

/// What a person can get wrong, each with its message, and without a run folder.
class OptimizeBadInput : public OptimizeCommand {
 protected:
  static std::string x(const std::string& rest) { return "[[parameter]]\nname = \"x\"\ntype = \"real\"\n" + rest; }
  static std::string parameter(const std::string& name, const std::string& type, const std::string& rest) {
    return "[[parameter]]\nname = \"" + name + "\"\ntype = \"" + type + "\"\n" + rest;
  }
};

TEST_F(OptimizeBadInput, SpacesThatAreNoneAreRefusedWithTheLine) {
  const std::string unit = "low = 0\nhigh = 1\n";
  const std::string kind = parameter("kind", "categorical", "choices = [\"a\", \"b\"]\n");
  for (const auto& [space, message] : std::vector<std::pair<std::string, std::string>>{
           {x("low = 1\nhigh = 1\n"),
            "bad.toml:4: parameter 'x': its low 1 is not below its high 1\nhint: a constant belongs into the command"},
           {x("low = 2\nhigh = 1\n"),
            "bad.toml:4: parameter 'x': its low 2 is not below its high 1\nhint: exchange the two"},
           {x("low = 0\nhigh = 1\nscale = \"log\"\n"),
            "bad.toml:4: parameter 'x': its low 0 is not positive, as a log scale needs\nhint: raise low, or take the "
            "linear scale"},
           {x("low = -1\nhigh = 1\nscale = \"log\"\n"),
            "bad.toml:4: parameter 'x': its low -1 is not positive, as a log scale needs\nhint: raise low, or take the "
            "linear scale"},
           {x(unit) + parameter("x", "boolean", ""),
            "bad.toml:7: parameter 'x': there are two parameters of this name"},
           {parameter("a", "boolean", "when = \"b == true\"\n") + parameter("b", "boolean", "when = \"a == true\"\n"),
            "bad.toml:4: parameter 'a': conditions depend on each other in a cycle: a on b on a"},
           {kind + parameter("y", "boolean", "when = \"kind == 'c'\"\n"),
            "bad.toml:8: parameter 'y': it depends on a value that is none of 'kind'\nhint: parameter 'kind': \"c\" is "
            "none of its choices; its choices are \"a\", \"b\""},
           {kind + "initial = \"c\"\n",
            "bad.toml:5: parameter 'kind': its initial value: \"c\" is none of its choices\nhint: its choices are "
            "\"a\", "
            "\"b\""},
           {kind + "[[constraint]]\nexpression = \"kind == 'c'\"\n",
            "bad.toml:6: constraint 'kind == 'c'': 'c' is no choice of 'kind' at character 9\nhint: did you mean 'a'?"},
           {x(unit) + "[[constraint]]\nexpression = \"x > 2\"\n",
            "bad.toml:7: no point satisfies the constraints in 1000000 draws\nhint: 'x > 2' fails in 100 % of the "
            "draws: "
            "loosen it, or narrow the bounds around what it allows"}}) {
    file("bad.toml", space);
    expect_refusal({"bad.toml", "--command", "echo 1"}, 3, message, space.find("x > 2") != std::string::npos);
  }
}

TEST_F(OptimizeBadInput, CommandsThatCannotBeStartedAreRefused) {
  square();
  file("no-program", "#!/bin/sh\necho 1\n");
  for (const auto& [command, message] : std::vector<std::pair<std::string, std::string>>{
           {"./absent {x}",
            "--command: './absent' does not exist\nhint: the path is relative to the folder where tempera is started"},
           {"no-such-program-anywhere",
            "--command: 'no-such-program-anywhere' is not found in PATH\nhint: name a program in PATH, or give its "
            "path"},
           {"./no-program",
            "--command: './no-program' is not executable\nhint: chmod +x ./no-program, or name its interpreter first"},
           {"/", "--command: '/' is a folder\nhint: name a program in it"},
           {"echo {z}",
            "--command: '{z}' names no parameter\nhint: did you mean '{x}'? braces themselves are written '{{z}}'"}})
    expect_refusal({"space.toml", "--command", command}, 2, message, command == "./no-program");
}

TEST_F(OptimizeBadInput, AProgramThatCannotBeStartedLaterFailsItsTrial) {
  square();
  const std::string program = script("once.sh", "rm -f ./once.sh\necho 1\n");
  start({"space.toml", "--command", program, "--budget", "3", "--scheduler", "sobol"}, "run");
  const std::vector<Json> all = trials("run");
  EXPECT_EQ(all[0]["status"], "ok");
  EXPECT_EQ(all[2]["status"], "failed");
  EXPECT_EQ(all[2]["reason"], "'./once.sh' cannot be started: No such file or directory");
}

TEST_F(OptimizeBadInput, AllTrialsFailingEndsWithoutAPointAndAConstantIsToldNotRefused) {
  square();
  const auto failed = tempera_ranks(
      2, run_of({"space.toml", "--command", "false", "--budget", "9", "--hyperparameters", "map"}, "failed"), here());
  EXPECT_EQ(failed.status, 4);
  EXPECT_EQ(occurrences(failed.err, "tempera: error: "), 1) << failed.err;
  EXPECT_THAT(failed.err, HasSubstr("tempera: error: --command: all 9 trials failed: 9 failed: exit status 1\n"
                                    "hint: failed/trials has what each of them printed\n"));
  EXPECT_EQ(trials("failed").size(), 9u);
  EXPECT_EQ(json("failed/summary.json")["best_point"], nullptr);
  start({"space.toml", "--command", "echo 7", "--budget", "12", "--hyperparameters", "map"}, "constant", 2);
  EXPECT_THAT(json("constant/summary.json")["warnings"].dump(), HasSubstr("the objective is constant"));
}

TEST_F(OptimizeBadInput, CommonOptionsThatMeanNothingHereAreRefused) {
  const std::string checkpoints =
      "there are no checkpoints: every event of an optimisation is in its journal at once\nhint: leave it out";
  const std::string profile =
      "an optimisation has a single timed region; tempera status draws what each worker did when\nhint: leave it out";
  const Arguments run{"--objective", "branin", "--budget", "2", "--scheduler", "sobol"};
  const std::vector<std::tuple<std::string, Arguments, std::string>> all{
      {"--checkpoint-every", {"--checkpoint-every", "5s"}, checkpoints},
      {"--checkpoint-dir", {"--checkpoint-dir", "elsewhere"}, checkpoints},
      {"--profile", {"--profile"}, profile}};
  for (const auto& [option, arguments, why] : all) expect_refusal(with(run, arguments), 2, option + ": " + why);
  start(run, "run");
  for (const auto& [option, arguments, why] : all) {
    const auto result = resume(0, "run", with({"--budget", "4"}, arguments));
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.err, "tempera: error: " + option + ": " + why + "\n");
  }
  EXPECT_EQ(resume(0, "run", {"--budget", "4"}).status, 0);
}

}  // namespace
}  // namespace tempera::test
