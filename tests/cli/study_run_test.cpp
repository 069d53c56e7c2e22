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
                    "hint: check the path; it is relative to the working directory",
                    true);
}

}  // namespace
}  // namespace tempera::test
