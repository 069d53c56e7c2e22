#include "tests/cli/optimize_fixture.hpp"

namespace tempera::test {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

/// Runs that learn from others.
class OptimizeWarmStart : public OptimizeCommand {
 protected:
  static Arguments quick(const Arguments& more) { return with({"--hyperparameters", "map"}, more); }
  /// Of the built-in objective whose source is another run of it.
  void branin(const std::string& name, int budget, const Arguments& more = {}) const {
    start(with(quick({"--objective", "branin", "--budget", std::to_string(budget)}), more), name);
  }
  std::vector<Json> events(const std::string& name) const {
    std::vector<Json> all;
    const std::string lines = text(name + "/journal.jsonl");
    for (std::size_t at = 0; at < lines.size(); at = lines.find('\n', at) + 1)
      all.push_back(Json::parse(lines.substr(at, lines.find('\n', at) - at)));
    return all;
  }
};

TEST_F(OptimizeWarmStart, ARunOfAnotherTaskTellsWhereToLook) {
  branin("source", 30);
  branin("run", 6, {"--warm-start", "source", "--seed", "3"});
  const std::vector<Json> all = trials("run");
  EXPECT_EQ(all[0]["why"]["rule"], "best-of-source");
  EXPECT_EQ(all[0]["point"], json("source/summary.json")["best_point"]);
  EXPECT_EQ(all[4]["why"]["rule"], "log-ei") << "the design is half as large";
  EXPECT_LT(json("run/summary.json")["regret"], 0.05);
  const Json sources = json("run/summary.json")["warm_start"];
  ASSERT_EQ(sources.size(), 1u);
  EXPECT_EQ(sources[0]["run"], "source");
  EXPECT_EQ(sources[0]["task"], "other");
  EXPECT_EQ(sources[0]["trials"], 30);
  EXPECT_EQ(sources[0]["left_out"], 0);
  const Json event = events("run")[1];
  EXPECT_EQ(event["event"], "warm-start");
  EXPECT_EQ(event["trials"].size(), 30u);
  EXPECT_TRUE(event.contains("crc32"));
}

TEST_F(OptimizeWarmStart, ItGoesOnWithoutItsSourcesToTheSameTrials) {
  branin("a", 12);
  branin("b", 9, {"--seed", "1"});
  const Arguments arguments{"--warm-start", "a,b", "--seed", "2"};
  branin("whole", 14, arguments);
  branin("run", 6, arguments);
  for (const char* source : {"a", "b"}) fs::remove_all(path(source));
  ASSERT_EQ(resume(2, "run", {"--budget", "10"}).status, 0);
  ASSERT_EQ(resume(0, "run", {"--budget", "14"}).status, 0);
  EXPECT_EQ(trials("run"), trials("whole"));
  const auto other = resume(0, "run", {"--budget", "20", "--warm-start", "b"});
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, HasSubstr("--warm-start: is [\"a,b\"] in this run and cannot become [\"b\"]"));
}

TEST_F(OptimizeWarmStart, TrialsOfTheSameTaskCountAsTrials) {
  branin("source", 25);
  const auto result = optimize(quick({"--objective", "branin", "--budget", "2", "--warm-start", "source",
                                      "--warm-start-task", "same", "--seed", "5", "--output", "run"}));
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(trials("run")[0]["why"]["rule"], "log-ei") << "no design is needed";
  EXPECT_EQ(trials("run")[0]["why"]["trials"], 25);
  EXPECT_THAT(result.out, HasSubstr("learned from  25 trials of source, the same task\n"));
  const Json summary = json("run/summary.json");
  const double before = json("source/summary.json")["best_value"];
  const bool better = summary["best_value"] < before;
  EXPECT_EQ(summary["warnings"].size(), better ? 0u : 1u);
}

TEST_F(OptimizeWarmStart, ABetterTrialOfTheSameTaskIsTold) {
  branin("source", 30);
  branin("run", 1,
         {"--scheduler", "async", "--warm-start", "source", "--warm-start-task", "same", "--acquisition",
          "ucb:1000"});  // far from it
  const Json summary = json("run/summary.json"), source = json("source/summary.json");
  ASSERT_GT(summary["best_value"], source["best_value"]);
  EXPECT_THAT(summary["warnings"].dump(), HasSubstr("trial " + source["best_trial"].dump() + " of source was better"));
}

TEST_F(OptimizeWarmStart, ASpaceThatDiffersLeavesOutWhatItDoesNotHave) {
  start(with(square(), {"--budget", "12", "--scheduler", "sobol"}), "source");
  file("other.toml",
       "[[parameter]]\nname = \"x\"\ntype = \"real\"\nlow = -1\nhigh = 1\n\n"
       "[[parameter]]\nname = \"y\"\ntype = \"boolean\"\n");
  const auto result = optimize(with({"other.toml", "--command", script("other.sh", "echo $1\n") + " {x}"},
                                    quick({"--budget", "6", "--warm-start", "source", "--output", "run"})));
  ASSERT_EQ(result.status, 0) << result.err;
  const Json source = json("run/summary.json")["warm_start"][0];
  const int left_out = source["left_out"], kept = source["trials"];
  EXPECT_EQ(left_out + kept, 12);
  EXPECT_GT(left_out, 0);
  EXPECT_EQ(source["notes"][0],
            std::to_string(left_out) + " of 12 trials left out: their values of 'x' do not exist here");
  EXPECT_EQ(source["notes"][1], "it does not know 'y': the initial value or the middle is taken");
  EXPECT_EQ(source["notes"][2], "its 'n' is not known here");
  EXPECT_THAT(result.out, HasSubstr("of 12 trials left out"));
}

TEST_F(OptimizeWarmStart, RunsThatAreNotOverAndTrialsBySomebodyElseWorkToo) {
  square();
  const auto asked =
      optimize({"space.toml", "--budget", "9", "--scheduler", "sobol", "--ask", "4", "--output", "part"});
  ASSERT_EQ(asked.status, 0);
  ASSERT_EQ(
      resume(0, "part", {"--tell", file("told.jsonl", "{\"number\":1,\"value\":1}\n{\"number\":2,\"value\":3}\n")})
          .status,
      0);
  const auto warm = optimize(with({"space.toml", "--ask", "1", "--warm-start", "part", "--output", "run"}, quick({})));
  ASSERT_EQ(warm.status, 0) << warm.err;
  const std::string second = asked.out.substr(asked.out.find('\n') + 1);
  EXPECT_EQ(Json::parse(warm.out)["point"], Json::parse(second.substr(0, second.find('\n')))["point"])
      << "the best of the two";
  fs::remove_all(path("part"));
  EXPECT_EQ(resume(2, "run", {"--ask", "1"}).status, 0);
}

TEST_F(OptimizeWarmStart, ABatchRunIsTheSameOnEveryNumberOfRanks) {
  branin("source", 12);
  const Arguments arguments{"--warm-start", "source", "--scheduler", "batch", "--batch", "3", "--overwrite"};
  branin("one", 9, arguments);
  for (const int ranks : {2, 3}) {
    start(with(quick({"--objective", "branin", "--budget", "9"}), arguments), "many", ranks);
    EXPECT_EQ(trials("many"), trials("one")) << ranks;
  }
}

TEST_F(OptimizeWarmStart, RefusesWhatCannotBeLearnedFrom) {
  branin("source", 4);
  const Arguments run{"--objective", "branin", "--warm-start"};
  const std::string folder_hint = "\nhint: name a folder that has a journal.jsonl of one";
  expect_refusal(with(run, {"absent"}), 3, "absent: is no run of 'tempera optimize'" + folder_hint, true);
  fs::create_directory(path("empty"));
  expect_refusal(with(run, {"source,empty"}), 3, "empty: is no run of 'tempera optimize'" + folder_hint);
  fs::create_directory(path("text"));
  file("text/journal.jsonl", "no journal\n");
  expect_refusal(
      with(run, {"text"}), 3,
      "text/journal.jsonl:1: is no line of a journal\nhint: the file was changed or its disk is failing; the "
      "lines before this one are good");
  square();
  expect_refusal({"space.toml", "--command", "echo 1", "--warm-start", "source"}, 3,
                 "source: its space shares no parameter with this one: it has 'x1', 'x2', this one 'x', 'n'\nhint: "
                 "parameters are matched by their names",
                 true);
  file("types.toml", "[[parameter]]\nname = \"x1\"\ntype = \"boolean\"\n");
  expect_refusal(
      {"types.toml", "--command", "echo 1", "--warm-start", "source"}, 3,
      "source: none of its trials that succeeded lies in this space: 4 of 4 trials left out: their values of "
      "'x1' do not exist here\nhint: compare the bounds, choices and types of the two spaces");
}

TEST_F(OptimizeWarmStart, RefusesASourceWithoutASuccessAndOptionsThatDoNotGoTogether) {
  square();
  const auto failed = tempera_ranks(
      0, run_of({"space.toml", "--command", "false", "--budget", "3", "--scheduler", "sobol"}, "failed"), here());
  EXPECT_EQ(failed.status, 4);
  const Arguments run{"space.toml", "--command", "echo 1", "--warm-start", "failed"};
  expect_refusal(
      run, 3,
      "failed: has no trial that succeeded: nothing can be learned from it\nhint: leave it out, or wait until "
      "it has one");
  expect_refusal(with(run, {"--scheduler", "random"}), 2,
                 "--warm-start: --scheduler random needs no model\nhint: leave it out");
  expect_refusal({"--objective", "branin", "--warm-start-task", "same"}, 2,
                 "--warm-start-task: there is no --warm-start\nhint: leave it out, or name the runs to learn from");
  start(with(square(), {"--budget", "4", "--scheduler", "sobol"}), "source");
  const Arguments same{"--command", "echo 1", "--warm-start", "source", "--warm-start-task", "same"};
  square("[[objective]]\nname = \"score\"\ndirection = \"maximize\"\n");
  const std::string hint = "\nhint: --warm-start-task other learns from it without that";
  expect_refusal(with({"space.toml"}, same), 3,
                 "source: is not of the same task: its direction is minimize, not maximize" + hint);
  square("[[constraint]]\nname = \"memory\"\n");
  expect_refusal(with({"space.toml"}, same), 3,
                 "source: is not of the same task: its trials do not report the constraint 'memory'" + hint);
}

}  // namespace
}  // namespace tempera::test
