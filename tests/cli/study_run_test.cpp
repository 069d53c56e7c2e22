#include "tests/cli/study_run_fixture.hpp"

namespace tempera::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

class StudyRun : public StudyRuns {
 protected:
  /// All four engines, results handed from one to the next.
  std::string all_engines() const {
    script("report.sh",
           "test -f \"$1\" && test -f \"$2\" && test -f \"$3\" && test -f counts.tns || exit 7\n"
           "echo \"{\\\"rank\\\": $4, \\\"seed\\\": $TEMPERA_STAGE_SEED}\"\n");
    return study(
        "title = \"Everything\"\nseed = 3\n" + search(6, 20) +
        fit("fit",
            "iterations = 30\nsweep.rank = [2, \"search.best.rank\"]\nrepeat = 2\n"
            "select.metric = \"relative_error\"\nranks = 1\n") +
        "[stage.posterior]\nengine = \"sample\"\ntarget = \"gaussian\"\nset = [\"dim={fit.rank}\"]\nrounds = 5\n"
        "replicas = 4\n" +
        command("report", "./report.sh {fit.factors} {posterior.draws} {search.trials} {fit.rank}", "seed = 11\n") +
        command("last", "echo {report.rank} {fit.folder}", "needs = [\"posterior\"]\n"));
  }
};

TEST_F(StudyRun, HasTheSameResultsOnEveryNumberOfRanks) {
  const std::string file = all_engines();
  start({file}, "whole");
  const Json stages = json("whole/summary.json")["stages"];
  ASSERT_EQ(stages.size(), 8u);
  // The selected run is the one with the smallest error, and its rank is what the others got.
  std::string best;
  for (const auto& [run, what] : stages.items())
    if (what["engine"] == "decompose" && (best.empty() || what["result"]["relative_error"].get<double>() <
                                                              stages[best]["result"]["relative_error"].get<double>()))
      best = run;
  const int rank = stages[best]["result"]["rank"];
  EXPECT_EQ(json("whole/stages/report/summary.json"), (Json{{"rank", rank}, {"seed", 11}}));
  EXPECT_EQ(json("whole/stages/posterior/manifest.json")["options"]["values"]["set"],
            Json::array({"dim=" + std::to_string(rank)}));
  EXPECT_THAT(text("whole/stages/last/stdout"), HasSubstr(stages[best]["folder"].get<std::string>()));
  // Repeats count their seeds from the study's.
  EXPECT_EQ(json("whole/stages/fit/rank=2,repeat=1/manifest.json")["seed"], 3);
  EXPECT_EQ(json("whole/stages/fit/rank=2,repeat=2/manifest.json")["seed"], 4);
  EXPECT_EQ(json("whole/stages/fit/rank=search.best.rank,repeat=1/summary.json")["rank"],
            json("whole/stages/search/summary.json")["best_point"]["rank"]);
  for (const int ranks : {1, 2, 3, 4}) {
    SCOPED_TRACE(std::to_string(ranks) + " ranks");
    const std::string name = "on-" + std::to_string(ranks);
    start({file}, name, ranks);
    expect_same_results(name, "whole");
    for (const auto& [run, count] : starts(name)) EXPECT_EQ(count, 1) << run;
    for (const auto& [run, status] : ends(name)) EXPECT_THAT(status, ElementsAre("done")) << run;
  }
}

TEST_F(StudyRun, TrialsOfTwoRanksEach) {
  const std::string file = study(search(4, 15, "ranks-per-trial = 2\n"));
  start({file}, "one", 3);
  start({file}, "two", 4);
  ASSERT_EQ(trials("one/stages/search").size(), 4u);
  expect_same_results("two", "one");
  EXPECT_EQ(json("one/stages/search/trials/000002/manifest.json")["mpi_ranks"], 2);
}

TEST_F(StudyRun, PrintsItsSummaryOnceAsTextOrJsonOrNotAtAll) {
  const std::string file = study("title = \"Small\"\n" + command("a", "echo 1"));
  for (const int ranks : {0, 3}) {
    const auto text = run({file, "--output", "run", "--overwrite"}, ranks);
    EXPECT_EQ(text.status, 0) << text.err;
    EXPECT_EQ(occurrences(text.out, "1 of 1 run done"), 1) << text.out;
    EXPECT_THAT(text.out, HasSubstr("Small\n"));
    EXPECT_EQ(this->text("run/summary.txt"), text.out);
    const auto as_json = run({file, "--output", "run", "--overwrite", "--json"}, ranks);
    EXPECT_EQ(Json::parse(as_json.out)["done"], 1);
    EXPECT_EQ(run({file, "--output", "run", "--overwrite", "--quiet"}, ranks).out, "");
  }
  EXPECT_EQ(this->text("run/study.toml"), this->text("in/study.toml"));
  const Json manifest = json("run/manifest.json");
  EXPECT_EQ(manifest["command"], "run");
  EXPECT_EQ(manifest["exit_status"], 0);
}

TEST_F(StudyRun, RefusesAFolderThatIsNotEmptyAndFilesThatAreNotThere) {
  const std::string file = study(command("a", "echo 1"));
  fs::create_directories(path("run"));
  this->file("run/mine.txt", "precious");
  for (const int ranks : {0, 2}) {
    const auto refused = run({file, "--output", "run"}, ranks);
    EXPECT_EQ(refused.status, 5) << refused.err;
    EXPECT_EQ(occurrences(refused.err, "tempera: error: run: "), 1) << refused.err;
    EXPECT_EQ(text("run/mine.txt"), "precious");
    EXPECT_FALSE(fs::exists(path("run/stages")));
  }
  expect_refusal_of({study(fit("a") + "rank = 2\n[stage.b]\nengine = \"decompose\"\ninput = \"none.tns\"\n")}, 3,
                    "in/study.toml:8: input: in/none.tns: no such file\n"
                    "hint: check the path; it is relative to the folder of the study file",
                    true);
}

TEST_F(StudyRun, GoesOnFromAnotherWorkingDirectoryWithPathsOfItsOwn) {
  script("where.sh", "test -f counts.tns && test -f \"$1\" && test -f mended && pwd -P\n");
  const std::string file = study(fit("fit", "rank = 2\n") + command("where", "./where.sh {fit.factors}") +
                                 fit("more", "rank = 2\ninit = \"fit.factors\"\nneeds = [\"where\"]\n"));
  EXPECT_EQ(run({file, "--output", "run"}, 2).status, 4);
  this->file("in/mended", "");
  this->file("in/study.toml", "[stage.other]\n");  // it goes on with its copy
  fs::create_directories(path("elsewhere"));
  ProcessSettings there = here();
  there.folder = path("elsewhere");
  const auto result = tempera_ranks(3, {"resume", "../run"}, there);
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(text("run/stages/where/stdout"), fs::canonical(path("in")).string() + "\n");
  EXPECT_EQ(starts("run"), (std::map<std::string, int>{{"fit", 1}, {"where", 2}, {"more", 1}}));
  const auto again = tempera_ranks(2, {"resume", "../run"}, there);
  EXPECT_EQ(again.status, 0);
  EXPECT_EQ(again.out, "../run: the study has ended: all its runs are done\n");
}

TEST_F(StudyRun, AChangedCopyOfTheStudyIsRefused) {
  script("fails.sh", "exit 1\n");
  const std::string file = study(command("a", "./fails.sh"));
  EXPECT_EQ(run({file, "--output", "run"}).status, 4);
  this->file("run/study.toml", text("run/study.toml") + "# changed\n");
  for (const int ranks : {0, 2}) {
    const auto refused = resume(ranks, "run");
    EXPECT_EQ(refused.status, 3);
    EXPECT_EQ(occurrences(refused.err,
                          "tempera: error: run/journal.jsonl: is of another study than the study.toml beside it\n"
                          "hint: restore that file, or begin a new run\n"),
              1)
        << refused.err;
  }
  // Killed before there was a copy, or a journal.
  fs::remove(path("run/study.toml"));
  fs::remove(path("run/journal.jsonl"));
  script("fails.sh", "exit 0\n");
  EXPECT_EQ(resume(2, "run").status, 0);
  EXPECT_EQ(text("run/study.toml"), text("in/study.toml"));
}

TEST_F(StudyRun, APartOfItDoesNotGoOnAlone) {
  const std::string file = study(search(2, 5));
  start({file}, "run");
  for (const std::string part : {"run/stages/search", "run/stages/search/trials/000001"}) {
    const auto refused = resume(0, part);
    EXPECT_EQ(refused.status, 2);
    EXPECT_EQ(refused.err, "tempera: error: " + part + ": is part of the study in " + path("run").string() +
                               "\nhint: 'tempera resume " + path("run").string() +
                               "' goes on with all of it; a copy of the folder can be extended alone\n");
  }
}

TEST_F(StudyRun, OverwritingOneRemovesTheRunsOfItsStages) {
  for (const int iterations : {3, 5}) {
    const std::string file = study(fit("a", "iterations = " + std::to_string(iterations) + "\n"));
    const auto result = run({file, "--output", "run", "--overwrite", "--quiet"}, 2);
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(json("run/stages/a/summary.json")["iterations"], iterations);
  }
}

}  // namespace
}  // namespace tempera::test
