#include "tests/cli/optimize_fixture.hpp"

namespace tempera::test {
namespace {

using testing::HasSubstr;

/// Trials that are run by somebody else.
class OptimizeAskTell : public OptimizeCommand {
 protected:
  std::vector<Json> lines_of(const std::string& text) const {
    std::vector<Json> lines;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
      lines.push_back(Json::parse(text.substr(at, text.find('\n', at) - at)));
    return lines;
  }
  /// What --command would have answered, in a file.
  std::string answers(const std::vector<Json>& asked, const std::string& name = "told.jsonl") const {
    std::string text;
    for (Json line : asked) {
      const double x = line["point"]["x"], n = line["point"]["n"];
      line["value"] = x * x + n;
      text += line.dump() + "\n";
    }
    return file(name, text);
  }
};

TEST_F(OptimizeAskTell, AsksAndTellsUntilTheBudgetIsUsedUpAsARunThatTriesItself) {
  square();
  const Arguments arguments{"space.toml", "--budget", "10", "--batch", "4", "--hyperparameters", "map"};
  auto asked = optimize(with(arguments, {"--ask", "9", "--output", "run"}));
  ASSERT_EQ(asked.status, 0) << asked.err;
  std::vector<Json> lines = lines_of(asked.out);
  ASSERT_EQ(lines.size(), 4u) << "the batch, and no more until it is told";
  EXPECT_EQ(lines[3]["number"], 3);
  EXPECT_THAT(tempera({"status", "run"}, here()).out, HasSubstr("goes on from the journal"));
  int rounds = 0;
  while (!std::filesystem::exists(path("run/summary.json"))) {
    ASSERT_LT(++rounds, 10);
    const auto next = resume(rounds % 3, "run", {"--tell", answers(lines), "--ask", "9"});
    ASSERT_EQ(next.status, 0) << next.err;
    if (!std::filesystem::exists(path("run/summary.json"))) lines = lines_of(next.out);
  }
  EXPECT_EQ(rounds, 3);
  EXPECT_EQ(json("run/summary.json")["trials"], 10);
  EXPECT_EQ(json("run/manifest.json")["exit_status"], 0);
  const std::string program =
      script("exact.sh",
             "read point; echo $point > $TEMPERA_TRIAL_DIR/p; awk \"BEGIN { printf \\\"%.17g\\\", $1 * $1 + $2 }\"\n");
  start(with(with(arguments, {"--scheduler", "batch"}), {"--command", program + " {x} {n}"}), "whole");
  const auto mine = trials("run"), whole = trials("whole");
  ASSERT_EQ(mine.size(), whole.size());
  for (std::size_t k = 0; k < mine.size(); ++k) EXPECT_EQ(mine[k]["point"], whole[k]["point"]);
}

TEST_F(OptimizeAskTell, PrintsAgainWhatWasAskedForAndNotTold) {
  square();
  const Arguments arguments{"space.toml", "--budget", "6", "--scheduler", "sobol"};
  const auto asked = optimize(with(arguments, {"--ask", "3", "--output", "run"}));
  ASSERT_EQ(asked.status, 0) << asked.err;
  std::vector<Json> lines = lines_of(asked.out);
  ASSERT_EQ(lines.size(), 3u);
  const std::string journal = text("run/journal.jsonl");
  EXPECT_EQ(resume(0, "run", {"--ask-again"}).out, asked.out);
  EXPECT_EQ(text("run/journal.jsonl"), journal) << "nothing has happened";
  const auto told = resume(2, "run", {"--tell", answers({lines[1]}), "--ask-again", "--ask", "1"});
  EXPECT_EQ(told.status, 0) << told.err;
  const std::vector<Json> again = lines_of(told.out);
  ASSERT_EQ(again.size(), 3u);
  EXPECT_EQ(again[0], lines[0]);
  EXPECT_EQ(again[1], lines[2]);
  EXPECT_EQ(again[2]["number"], 3) << "a new one, after those";
  const auto refused = optimize(with(arguments, {"--ask-again", "--output", "other"}));
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("--ask-again: a new run has asked for nothing"));
}

TEST_F(OptimizeAskTell, RefusesWhatWasNotAskedForOrIsToldTwice) {
  square();
  const auto asked = optimize({"space.toml", "--budget", "6", "--scheduler", "sobol", "--ask", "3", "--output", "run"});
  ASSERT_EQ(asked.status, 0) << asked.err;
  ASSERT_EQ(lines_of(asked.out).size(), 3u);
  const auto refused = [&](const std::string& text) {
    const std::string manifest = this->text("run/manifest.json"), journal = this->text("run/journal.jsonl");
    const std::string log = this->text("run/progress.jsonl");
    const auto result = resume(0, "run", {"--tell", file("told.jsonl", text)});
    EXPECT_EQ(result.status, 3) << result.err;
    EXPECT_EQ(this->text("run/manifest.json"), manifest) << "the run is as it was";
    EXPECT_EQ(this->text("run/journal.jsonl"), journal);
    EXPECT_EQ(this->text("run/progress.jsonl"), log);
    return result.err;
  };
  const std::string once = "hint: tell each trial that --ask printed once\n";
  EXPECT_EQ(refused("{\"number\":3,\"value\":1}\n"),
            "tempera: error: told.jsonl:1: trial 3 was never asked for\n" + once);
  EXPECT_EQ(refused("{\"number\":0,\"value\":1}\n\n{\"number\":0,\"value\":1}\n"),
            "tempera: error: told.jsonl:3: trial 0 comes twice\nhint: tell each trial once\n");
  const std::string form = "hint: a line says {\"number\": 3, \"value\": 0.5}\n";
  EXPECT_EQ(refused("7\n"), "tempera: error: told.jsonl:1: is no JSON object\n" + form);
  EXPECT_EQ(refused("{\"value\":1}\n"), "tempera: error: told.jsonl:1: has no number of a trial\n" + form);
  EXPECT_THAT(refused("{\"number\":0,\"valu\":1}\n"), HasSubstr("told.jsonl:1: "));
  EXPECT_EQ(refused("{\"number\":1,\"value\":1}\n{\"number\":-1,\"value\":1}\n"),
            "tempera: error: told.jsonl:2: trial -1 was never asked for\n" + once);
  const auto absent = resume(2, "run", {"--tell", "absent.jsonl"});
  EXPECT_EQ(absent.status, 3);
  EXPECT_THAT(absent.err, HasSubstr("tempera: error: absent.jsonl: cannot be read\n"));
  EXPECT_EQ(json("run/manifest.json")["exit_status"], 130) << "it can go on";
  EXPECT_EQ(trials("run").size(), 0u) << "none is taken if one is wrong";
  ASSERT_EQ(resume(0, "run",
                   {"--tell",
                    file("told.jsonl",
                         "{\"number\":1,\"value\":1}\n{\"number\":0,\"status\":\"failed\",\"reason\":\"burnt\"}\n")})
                .status,
            0);
  EXPECT_EQ(trials("run").size(), 2u);
  EXPECT_EQ(refused("{\"number\":1,\"value\":1}\n"),
            "tempera: error: told.jsonl:1: trial 1 has been told already\n" + once);
  const auto alone = resume(0, "run");
  EXPECT_EQ(alone.status, 2);
  EXPECT_THAT(alone.err, HasSubstr("nothing runs the trials of this run"));
  const auto first = optimize({"space.toml", "--tell", "told.jsonl", "--output", "other"});
  EXPECT_EQ(first.status, 2);
  EXPECT_THAT(first.err, HasSubstr("--tell: a new run has asked for nothing"));
}

}  // namespace
}  // namespace tempera::test
