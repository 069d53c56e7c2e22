#include <cmath>

#include "tests/cli/study_run_fixture.hpp"

namespace tempera::test {
namespace {

/// Studies of drivers/studies, shortened, on texts of their own size.
class ShippedStudies : public StudyRuns {
 protected:
  ShippedStudies() {
    // Consonants and vowels take turns, so that two components (each kind first) describe all triples of letters.
    std::string letters = "z z z ";  // so that all indices are there
    for (unsigned k = 0, state = 7; k < 3000; ++k) {
      state = state * 1103515245u + 12345u;
      letters += (k % 2 == 0 ? "bdk" : "aeo")[(state >> 16) % 3];
    }
    file("turns.txt", letters + "\n");
    // Frequencies 4000/r: Zipf's law to rounding.
    std::string words;
    for (int r = 1; r <= 40; ++r)
      for (int k = 0; k < (4000 + r / 2) / r; ++k) words += std::string(1 + r / 26, 'z') + static_cast<char>('a' + r % 26) + "\n";
    file("zipf.txt", words);
  }

  Json run_study(const std::string& name, const std::string& run, int ranks,
                 std::vector<std::pair<std::string, std::optional<std::string>>> environment) {
    environment.emplace_back("TEMPERA_EXECUTABLE", std::nullopt);  // as in a person's shell
    ProcessSettings settings{.seconds = 240, .folder = folder_.path(), .environment = std::move(environment)};
    const auto ended = tempera_ranks(
        ranks, {"run", TEMPERA_SOURCE_DIR "/drivers/studies/" + name, "--output", run}, settings);
    EXPECT_EQ(ended.status, 0) << ended.err;
    out_ = ended.out;
    const Json summary = json(run + "/summary.json");
    EXPECT_EQ(summary["done"], summary["runs"]) << out_;
    return summary["stages"];
  }

  std::string out_;
};

TEST_F(ShippedStudies, RankSearchHandsTheRankFromTheSearchToThePosterior) {
  const Json stages = run_study("rank_search.toml", "run", 4,
                                {{"TEMPERA_TEXT", path("turns.txt").string()},
                                 {"TEMPERA_SEARCH_BUDGET", "8"},
                                 {"TEMPERA_ROUNDS", "4"},
                                 {"TEMPERA_RANKS_PER_REPLICA", "2"}});
  const Json best = stages["search"]["result"]["best_point"];
  EXPECT_GE(best["rank"], 2) << "one component cannot tell whose turn it is";
  EXPECT_EQ(stages["fit"]["result"]["rank"], best["rank"]);
  EXPECT_EQ(stages["fit"]["result"]["iterations"], best["sweeps"]);
  EXPECT_EQ(json("run/stages/posterior/summary.json")["model"]["rank"], best["rank"]);
  // The report has all three, the posterior last.
  const auto search = out_.find("--- search"), fit = out_.find("--- fit"), posterior = out_.find("--- posterior");
  EXPECT_TRUE(search < fit && fit < posterior && posterior < out_.find("verdict ", posterior)) << out_;
  EXPECT_EQ(out_, text("run/summary.txt"));
}

TEST_F(ShippedStudies, EvidenceChoosesTheLineWhereWordsObeyZipfsLaw) {
  const Json stages =
      run_study("evidence.toml", "run", 3, {{"TEMPERA_TEXT", path("zipf.txt").string()}, {"TEMPERA_ROUNDS", "9"}});
  for (const char* model : {"flat", "line", "parabola", "cubic"}) {
    SCOPED_TRACE(model);
    const Json result = stages["models[data=" + std::string(model) + ".json]"]["result"];
    const double error = result["log_evidence_error"];
    EXPECT_NEAR(result["log_evidence"], result["exact_log_evidence"], 6 * error + 0.3);
    EXPECT_LE(result["exact_log_evidence"], stages["models[data=line.json]"]["result"]["exact_log_evidence"]);
  }
  EXPECT_EQ(stages["winner"]["result"]["exact_log_evidence"],
            stages["models[data=line.json]"]["result"]["exact_log_evidence"]);
}

TEST_F(ShippedStudies, PosteriorAgreesWithThePublishedDrawsInBothForms) {
  const Json stages = run_study("posterior.toml", "run", 3, {{"TEMPERA_ROUNDS", "10"}});
  for (const char* form : {"false", "true"}) {
    SCOPED_TRACE(form);
    const std::string run = "tempered[set=centred=" + std::string(form) + "]";
    const Json mu = json("run/" + stages[run]["folder"].get<std::string>() + "/summary.json")["parameters"]["mu"];
    EXPECT_NEAR(mu["mean"], 4.4, 0.1 + 6 * mu["mcse_mean"].get<double>());
    EXPECT_NEAR(stages[run]["result"]["log_evidence"], -32.004495 + std::log(2.0),
                6 * stages[run]["result"]["log_evidence_error"].get<double>());
  }
}

TEST_F(ShippedStudies, TuningRunsTheProgramBesideIt) {
  if (run_process({"python3", "-c", "import bz2, lzma, zlib"}).status != 0) GTEST_SKIP() << "no python3 here";
  const Json stages = run_study("tuning.toml", "run", 3,
                                {{"TEMPERA_TEXT", path("zipf.txt").string()}, {"TEMPERA_SEARCH_BUDGET", "6"}});
  double least = HUGE_VAL;
  for (const Json& trial : lines("run/stages/search/trials.jsonl")) {
    EXPECT_EQ(trial["status"], "ok") << trial;
    least = std::min(least, trial["value"].get<double>());
  }
  EXPECT_EQ(stages["search"]["result"]["best_value"], least);
  for (const char* run : {"1", "2", "3"})
    EXPECT_GT(stages["defaults[command=" + std::string(run) + "]"]["result"]["value"], 0.0);
}

}  // namespace
}  // namespace tempera::test
