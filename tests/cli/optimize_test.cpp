#include <algorithm>
#include <cmath>
#include <csignal>

#include "tests/cli/optimize_fixture.hpp"
#include "tests/support/faults.hpp"

namespace tempera::test {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class Optimize : public OptimizeCommand {
 protected:
  int results_in(const std::string& name) const {
    return fs::exists(path(name + "/journal.jsonl"))
               ? occurrences(text(name + "/journal.jsonl"), "\"event\":\"result\"")
               : 0;
  }

  /// A batch run, killed after some more results, again and again: it ends as the unbroken one.
  void kill_after_results(const Arguments& arguments, int budget, int kills, std::uint64_t seed) const {
    kill_and_go_on(arguments, kills, seed, [=, this](int kill, RandomStream& random) {
      // One result more at least, so that there are ranks to be killed.
      const int until = std::max(results_in("run") + 1,
                                 (kill + 1) * budget / (kills + 6) + static_cast<int>(random.uniform_index(3)));
      return [this, until] { return results_in("run") >= until; };
    });
    EXPECT_EQ(trials("run"), trials("whole"));
    EXPECT_EQ(json("run/summary.json")["best_point"], json("whole/summary.json")["best_point"]);
  }
};

TEST_F(Optimize, ABatchRunHasTheSameTrialsOnEveryNumberOfRanksAndWorkers) {
  const Arguments objective{"--objective",       "branin", "--set", "noise=0.1", "--budget", "18",
                            "--hyperparameters", "map"};
  for (const Arguments& what : {objective, with(square(), {"--budget", "14", "--hyperparameters", "map"})}) {
    const Arguments arguments = with(what, {"--scheduler", "batch", "--batch", "4"});
    start(with(arguments, {"--overwrite"}), "one");
    const std::vector<Json> one = trials("one");
    EXPECT_EQ(one.size(), what == objective ? 18u : 14u);
    for (std::size_t k = 0; k < one.size(); ++k) EXPECT_EQ(one[k]["number"], k);
    for (const int ranks : {1, 2, 3, 4}) {
      Arguments more{"--overwrite"};
      if (what != objective) more.insert(more.end(), {"--workers", std::to_string(1 + ranks % 3)});
      start(with(arguments, more), "many", ranks);
      EXPECT_EQ(trials("many"), one) << ranks << " ranks";
    }
  }
}

TEST_F(Optimize, AsynchronouslyAllTrialsAreDoneOnceAndTheSummaryHasTheBest) {
  for (const int ranks : {0, 3}) {
    start(with(square(), {"--budget", "16", "--hyperparameters", "map", "--workers", "2", "--overwrite"}), "run",
          ranks);
    std::vector<Json> all = trials("run");
    ASSERT_EQ(all.size(), 16u);
    double best = INFINITY;
    std::vector<int> numbers;
    for (const Json& trial : all) {
      numbers.push_back(trial["number"]);
      const double x = trial["point"]["x"], n = trial["point"]["n"];
      EXPECT_NEAR(trial["value"].get<double>(), x * x + n, 1e-4);
      best = std::min(best, trial["value"].get<double>());
    }
    std::sort(numbers.begin(), numbers.end());
    for (int k = 0; k < 16; ++k) EXPECT_EQ(numbers[static_cast<std::size_t>(k)], k);
    const Json summary = json("run/summary.json");
    EXPECT_EQ(summary["best_value"], best);
    EXPECT_EQ(summary["best_point"]["n"], 0);
    EXPECT_EQ(summary["trials"], 16);
    EXPECT_EQ(summary["failed_trials"], 0);
    EXPECT_GT(summary["worker_busy_fraction"], 0);
    EXPECT_LE(summary["worker_busy_fraction"], 1);
    EXPECT_EQ(summary["workers"], ranks == 0 ? 2 : 4);
    EXPECT_TRUE(fs::exists(path("run/trials/000003/stdout")));
  }
}

TEST_F(Optimize, ARunEndsWhenEveryPointOfItsSpaceIsTried) {
  file("small.toml", "[[parameter]]\nname = \"n\"\ntype = \"integer\"\nlow = 1\nhigh = 6\n");
  for (const Arguments& more : {Arguments{}, Arguments{"--batch", "4"}})
    for (const int ranks : {0, 3}) {
      Arguments arguments{"small.toml", "--command", "echo {n}", "--budget", "20", "--output", "run", "--overwrite"};
      arguments.insert(arguments.end(), more.begin(), more.end());
      const auto result = optimize(arguments, ranks);
      ASSERT_EQ(result.status, 0) << result.err;
      EXPECT_EQ(trials("run").size(), 6u);
      EXPECT_EQ(json("run/summary.json").at("ended_by"), "space");
      EXPECT_EQ(json("run/summary.json").at("best_value"), 1);
    }
}

TEST_F(Optimize, WhatIsToBeMaximisedIsToldAsItIs) {
  auto arguments = square("\n[[objective]]\nname = \"score\"\ndirection = \"maximize\"\n");
  start(with(arguments, {"--budget", "12", "--scheduler", "sobol"}), "run");
  double best = -INFINITY;
  for (const Json& trial : trials("run")) best = std::max(best, trial["value"].get<double>());
  const Json summary = json("run/summary.json");
  EXPECT_EQ(summary["best_value"], best);
  EXPECT_GT(best, 3);
  EXPECT_EQ(summary["direction"], "maximize");
}

TEST_F(Optimize, FailedTrialsCountWithTheirReasons) {
  file("space.toml", "[[parameter]]\nname = \"x\"\ntype = \"real\"\nlow = 0\nhigh = 1\n");
  const std::string program =
      script("fail.sh",
             "case $((TEMPERA_TRIAL_NUMBER % 6)) in\n"
             "1) echo no luck >&2; exit 3;;\n2) echo rubbish;;\n3) kill -SEGV $$;;\n4) echo nan;;\n"
             "5) sleep 60;;\n0) echo $1;;\nesac\n");
  const auto result = optimize({"space.toml", "--command", program + " {x}", "--scheduler", "random", "--budget", "12",
                                "--timeout", "0.5s", "--workers", "6", "--output", "run"});
  ASSERT_EQ(result.status, 0) << result.err;
  std::vector<std::string> statuses;
  for (const Json& trial : trials("run")) statuses.push_back(trial["status"]);
  EXPECT_THAT(statuses, testing::ElementsAre("ok", "failed", "invalid", "crashed", "invalid", "timeout", "ok", "failed",
                                             "invalid", "crashed", "invalid", "timeout"));
  const Json summary = json("run/summary.json");
  EXPECT_EQ(summary["trials"], 12);
  EXPECT_EQ(summary["failed_trials"], 10);
  EXPECT_THAT(result.out, HasSubstr("2 failed: exit status 3: no luck"));
  EXPECT_THAT(result.out, HasSubstr("best value"));
}

TEST_F(Optimize, ACrashedTrialIsTriedAgainWhereThatIsAskedFor) {
  file("space.toml", "[[parameter]]\nname = \"x\"\ntype = \"real\"\nlow = 0\nhigh = 1\n");
  const std::string program = script("crash.sh", "[ $TEMPERA_TRIAL_ATTEMPT = 0 ] && kill -KILL $$\necho $1\n");
  const Arguments arguments{"space.toml", "--command", program + " {x}", "--scheduler", "sobol", "--budget", "4"};
  start(with(arguments, {"--retries", "1"}), "run");
  for (const Json& trial : trials("run")) EXPECT_EQ(trial["retries"], 1);
  const auto failed = tempera_ranks(0, run_of(arguments, "without"), here());
  EXPECT_EQ(failed.status, 4);
  EXPECT_EQ(failed.err,
            "tempera: error: --command: all 4 trials failed: 4 crashed: signal 9 (Killed)\n"
            "hint: without/trials has what each of them printed\n");
  EXPECT_EQ(json("without/summary.json")["best_value"], nullptr);
  EXPECT_EQ(json("without/manifest.json")["exit_status"], 4);
}

TEST_F(Optimize, TooManyFailuresEndTheRunAndItGoesOnWhereMoreMay) {
  file("space.toml", "[[parameter]]\nname = \"x\"\ntype = \"real\"\nlow = 0\nhigh = 1\n");
  const std::string program = script("half.sh", "[ $((TEMPERA_TRIAL_NUMBER % 2)) = 1 ] && exit 1\necho $1\n");
  const Arguments arguments{"space.toml", "--command", program + " {x}", "--scheduler", "sobol", "--budget", "12"};
  const auto failed = tempera_ranks(2, run_of(with(arguments, {"--max-failures", "2"}), "run"), here());
  EXPECT_EQ(failed.status, 4);
  EXPECT_THAT(failed.err,
              HasSubstr("tempera: error: --max-failures: 3 of 6 trials failed, 2 may: 3 failed: exit status 1\n"
                        "hint: mend that, then 'tempera resume run --max-failures N' goes on\n"));
  EXPECT_EQ(trials("run").size(), 6u);
  ASSERT_EQ(resume(3, "run", {"--max-failures", "none"}).status, 0);
  start(arguments, "whole");
  EXPECT_EQ(trials("run"), trials("whole"));
}

TEST_F(Optimize, AConstantObjectiveIsTold) {
  square();
  const auto result =
      optimize({"space.toml", "--command", "echo 7", "--budget", "12", "--hyperparameters", "map", "--output", "run"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("the objective is constant: all 12 trials that succeeded gave 7"));
  EXPECT_EQ(json("run/summary.json")["warnings"].size(), 1u);
}

TEST_F(Optimize, AFinishedRunIsExtendedToTheTrialsOfALongerOne) {
  const Arguments arguments = with(square(), {"--scheduler", "batch", "--batch", "4", "--hyperparameters", "map"});
  start(with(arguments, {"--budget", "14"}), "whole");
  start(with(arguments, {"--budget", "6"}), "run", 2);
  const auto ended = resume(0, "run");
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.out, HasSubstr("the run has ended: --budget was 6, a larger number extends it"));
  EXPECT_THAT(tempera({"status", "run"}, here()).out,
              HasSubstr("'tempera resume run --budget N' extends it, N above 6"));
  ASSERT_EQ(resume(3, "run", {"--budget", "9"}).status, 0);
  ASSERT_EQ(resume(0, "run", {"--budget", "14"}).status, 0);
  EXPECT_EQ(trials("run"), trials("whole"));
  const auto other = resume(0, "run", {"--budget", "20", "--batch", "2"});
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, HasSubstr("--batch: is 4 in this run and cannot become 2"));
}

TEST_F(Optimize, ASignalStopsItAtOnceAndItGoesOn) {
  const Arguments arguments =
      with(square(), {"--scheduler", "batch", "--batch", "4", "--hyperparameters", "map", "--budget", "40"});
  for (const auto& [ranks, signal] : {std::pair{3, SIGUSR1}, {0, SIGTERM}}) {
    const std::string name = "run-" + std::to_string(signal);
    RunningProcess job = tempera_in_background(ranks, with(with({"optimize"}, arguments), {"--output", name}), here());
    ASSERT_TRUE(wait_until([&, &run = name] { return results_in(run) >= 5; }, 60, &job)) << job.wait().err;
    job.signal(signal);
    const auto stopped = job.wait();
    EXPECT_EQ(stopped.status, kStopped) << stopped.err;
    EXPECT_THAT(stopped.err + stopped.out, HasSubstr("tempera resume " + name));
    EXPECT_FALSE(fs::exists(path(name) / "summary.json"));
    EXPECT_THAT(tempera({"status", name}, here()).out,
                HasSubstr("'tempera resume " + name + "' goes on from the journal"));
    ASSERT_EQ(resume(2, name, {"--budget", "40"}).status, 0);
    EXPECT_EQ(trials(name).size(), 40u);
  }
  EXPECT_EQ(trials("run-" + std::to_string(SIGUSR1)), trials("run-" + std::to_string(SIGTERM)));
}

TEST_F(Optimize, FourKillsAtRandomMomentsChangeNoTrial) {
  kill_after_results(
      with(square(), {"--scheduler", "batch", "--batch", "4", "--hyperparameters", "map", "--budget", "30"}), 30, 4, 1);
}

TEST_F(Optimize, DISABLED_TwentyKillsAtRandomMomentsChangeNoTrial) {
  kill_after_results(
      with(square(), {"--scheduler", "batch", "--batch", "4", "--hyperparameters", "map", "--budget", "120"}), 120, 20,
      2);
}

TEST_F(Optimize, KilledAtAnyLineOfTheJournalItGoesOn) {
  const Arguments arguments{"--objective", "branin", "--budget", "6", "--scheduler", "sobol"};
  start(arguments, "whole");
  for (int call = 1; call < 24; call += 3) {
    SCOPED_TRACE(call);
    fs::remove_all(path("run"));
    const auto killed = tempera_ranks(
        0, run_of(arguments, "run"),
        with_fault({.path = "run/journal.jsonl", .call = call, .action = call % 2 ? "kill" : "torn"}, here()));
    if (killed.status == 0) break;
    ASSERT_EQ(resume(0, "run").status, 0);
    EXPECT_EQ(trials("run"), trials("whole"));
  }
}

TEST_F(Optimize, ADamagedJournalIsRefusedWithItsLine) {
  const Arguments arguments{"--objective", "branin", "--budget", "6", "--scheduler", "sobol"};
  start(arguments, "run");
  std::string journal = text("run/journal.jsonl");
  journal[journal.find("\"sequence\":3") + 30] ^= 1;
  file("run/journal.jsonl", journal);
  const auto refused = resume(2, "run", {"--budget", "8"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_THAT(refused.err, HasSubstr("run/journal.jsonl:4: the checksum is wrong"));
}

TEST_F(Optimize, RefusesWhatCannotBeOptimisedBeforeThereIsAFolder) {
  const std::string form = "give SPACE.toml --command \"…\" or --objective NAME (`tempera help objectives` lists them)";
  expect_refusal({}, 2, "--command: nothing to optimise\nhint: " + form, true);
  expect_refusal({"--objective", "branin", "--command", "true"}, 2,
                 "--command: a command and an objective are given\nhint: " + form);
  expect_refusal(
      {"--command", "true"}, 2,
      "SPACE.toml: the space of the command is missing\nhint: name a file with the parameters (`tempera help "
      "optimization`)");
  square();
  expect_refusal({"space.toml", "--objective", "branin"}, 2,
                 "SPACE.toml: a built-in objective has its own space\nhint: leave it out, or give --command");
  expect_refusal({"--objective", "branin", "--workers", "2"}, 2, "--workers: is for --command\nhint: leave it out");
  expect_refusal({"--objective", "branin", "--scheduler", "async", "--batch", "4"}, 2,
                 "--batch: is for --scheduler batch and cma-es\nhint: leave out one of the two");
  expect_refusal({"--objective", "branin", "--scheduler", "random", "--acquisition", "ei"}, 2,
                 "--acquisition: --scheduler random needs no model\nhint: leave it out");
  expect_refusal({"space.toml", "--command", "true", "--set", "dim=2"}, 2,
                 "--set: is for built-in objectives\nhint: leave it out");
  for (const auto& [arguments, part] : std::vector<std::pair<Arguments, std::string>>{
           {{"--objective", "brannin"}, "did you mean 'branin'?"},
           {{"--objective", "branin", "--acquisition", "log-e"}, "acquisition"},
           {{"space.toml", "--command", "./no-such-program {x}"}, "no-such-program"},
           {{"space.toml", "--command", "./space.toml {x}"}, "space.toml"},
           {{"absent.toml", "--command", "true"}, "absent.toml"}}) {
    for (const int ranks : {0, 2}) {
      const auto result = optimize(with(arguments, {"--output", "refused"}), ranks);
      EXPECT_TRUE(result.status == 2 || result.status == 3) << result.status << result.err;
      EXPECT_EQ(occurrences(result.err, "tempera: error: "), 1) << result.err;
      EXPECT_THAT(result.err, HasSubstr(part));
      EXPECT_FALSE(fs::exists(path("refused")));
    }
  }
}

}  // namespace
}  // namespace tempera::test
