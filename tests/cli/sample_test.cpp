#include <cmath>
#include <numeric>

#include "tests/cli/sample_fixture.hpp"
#include "tests/support/netcdf_contents.hpp"

namespace tempera::test {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
namespace fs = std::filesystem;

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

TEST_F(SampleCommand, LeavesACompleteRunFolder) {
  const auto result = sample({"--target", "gaussian", "--set", "dim=2", "--set", "precision=100", "--rounds", "10",
                              "--seed", "7", "--output", "run"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("gaussian: 1 024 draws of 2 parameters in "));
  EXPECT_THAT(result.out, HasSubstr("\nlog evidence  -4."));
  EXPECT_THAT(result.out, HasSubstr("(exact: -4.60517)"));
  EXPECT_THAT(result.out, HasSubstr("\nverdict       "));
  EXPECT_THAT(result.out, HasSubstr("\nresults       run\n"));

  const Json summary = json("run/summary.json");
  EXPECT_EQ(summary["schema"], 1);
  EXPECT_EQ(summary["target"], "gaussian");
  const double error = summary["log_evidence_error"];
  EXPECT_GT(error, 0);
  EXPECT_NEAR(summary["log_evidence"].get<double>(), -std::log(100.0), 5 * error);
  EXPECT_NEAR(summary["exact_log_evidence"].get<double>(), -std::log(100.0), 1e-12);
  EXPECT_GE(summary["barrier"].get<double>(), 1);
  EXPECT_GE(summary["round_trips"].get<int>(), 1);
  EXPECT_EQ(summary["replicas"].get<std::size_t>(), summary["schedule"].size());
  EXPECT_EQ(summary["rejections"].size() + 1, summary["schedule"].size());
  EXPECT_EQ(summary["schedule"].front(), 0.0);
  EXPECT_EQ(summary["schedule"].back(), 1.0);
  EXPECT_GT(summary["density_evaluations"].get<int>(), 1024 * summary["replicas"].get<int>());
  EXPECT_GT(summary["seconds"].get<double>(), 0);
  EXPECT_EQ(summary["mpi_ranks"], 1);
  double sum = 0;
  for (const Json& rejection : summary["rejections"]) sum += rejection.get<double>();
  EXPECT_NEAR(summary["rejection_sum"].get<double>(), sum, 1e-12);
  ASSERT_THAT(summary["parameters"], SizeIs(2));
  for (const char* name : {"x[1]", "x[2]"}) {
    const Json& parameter = summary["parameters"].at(name);
    for (const char* key : {"mean", "sd", "q05", "q50", "q95", "rhat", "ess_bulk", "ess_tail", "mcse_mean"})
      EXPECT_TRUE(parameter.at(key).is_number()) << name << " " << key;
    EXPECT_NEAR(parameter["mean"].get<double>(), 0, 5 * parameter["mcse_mean"].get<double>());
    EXPECT_NEAR(parameter["sd"].get<double>(), 0.1, 0.02);
  }
  ASSERT_TRUE(summary["verdict"].is_object());
  EXPECT_EQ(summary["verdict"]["reasons"].size(), summary["verdict"]["advice"].size());

  const Json manifest = json("run/manifest.json");
  EXPECT_EQ(manifest["command"], "sample");
  EXPECT_EQ(manifest["exit_status"], 0);
  EXPECT_EQ(manifest["seed"], 7);
  EXPECT_TRUE(manifest["input"].is_null());
  EXPECT_EQ(manifest["options"]["values"]["set"], Json({"dim=2", "precision=100"}));
}

TEST_F(SampleCommand, WritesDrawsThatAreTheOnesItSummarises) {
  start({"--target", "eight-schools", "--rounds", "7", "--copies", "3", "--quiet"}, "run");
  const NetcdfContents file(path("run/draws.nc").string());
  const Json summary = json("run/summary.json");
  EXPECT_EQ(summary["streams"], 3);
  EXPECT_EQ(summary["draws"], 128);
  EXPECT_EQ(file.sizes("posterior", "mu"), (std::vector<std::size_t>{3, 128}));
  EXPECT_EQ(file.sizes("posterior", "theta_trans"), (std::vector<std::size_t>{3, 128, 8}));
  EXPECT_EQ(file.dimensions("posterior", "theta_trans"),
            (std::vector<std::string>{"chain", "draw", "theta_trans_dim_0"}));
  const auto mu = file.values("posterior", "mu"), theta = file.values("posterior", "theta_trans");
  EXPECT_NEAR(mean_of(mu), summary["parameters"]["mu"]["mean"].get<double>(), 1e-10);
  double third = 0;
  for (std::size_t draw = 0; draw < 3 * 128; ++draw) third += theta[8 * draw + 2] / (3 * 128);
  EXPECT_NEAR(third, summary["parameters"]["theta_trans[3]"]["mean"].get<double>(), 1e-10);
  const auto density = file.values("sample_stats", "lp"), prior = file.values("sample_stats", "log_reference"),
             likelihood = file.values("sample_stats", "log_likelihood");
  for (std::size_t draw = 0; draw < density.size(); ++draw) EXPECT_EQ(density[draw], prior[draw] + likelihood[draw]);
  EXPECT_EQ(Json(file.values("tempering", "beta")), summary["schedule"]);
  EXPECT_EQ(file.text("posterior", "inference_library"), "Tempera");
}

TEST_F(SampleCommand, PrintsJsonOrNothing) {
  const Arguments arguments{"--target", "gaussian", "--rounds", "5"};
  const auto both = sample(with(arguments, {"--json", "--output", "json"}), 2);
  ASSERT_EQ(both.status, 0) << both.err;
  EXPECT_EQ(Json::parse(both.out), json("json/summary.json"));
  const auto quiet = sample(with(arguments, {"--quiet", "--output", "quiet"}));
  EXPECT_EQ(quiet.status, 0);
  EXPECT_EQ(quiet.out + quiet.err, "");
  expect_equal_runs("json", "quiet");
}

// Draws, schedule, evidence and every number that is said of them; what the ranks shared out does not show.
TEST_F(SampleCommand, IsTheSameToTheBitOnAnyNumberOfRanksAndThreads) {
  const Arguments arguments{"--target", "mixture", "--rounds", "6", "--copies", "2", "--keep", "all", "--quiet"};
  start(arguments, "alone");
  for (const auto& [ranks, threads] : {std::pair{0, "4"}, std::pair{1, "1"}, std::pair{2, "1"}, std::pair{3, "4"},
                                       std::pair{4, "1"}, std::pair{7, "1"}}) {
    SCOPED_TRACE(std::to_string(ranks) + " ranks with " + threads + " threads");
    start(with(arguments, {"--threads", threads, "--overwrite"}), "run", ranks);
    expect_equal_runs("run", "alone");
    EXPECT_EQ(json("run/summary.json")["mpi_ranks"], std::max(1, ranks));
  }
}

TEST_F(SampleCommand, OfATensorIsTheSameWithSeveralRanksForAReplica) {
  const Arguments arguments{"--tensor", counts(),  "--rank",   "2", "--likelihood", "poisson", "--algorithm",
                            "nuts",     "--quiet", "--rounds", "5"};
  start(arguments, "alone");
  const Json summary = json("alone/summary.json");
  EXPECT_THAT(summary["parameters"], SizeIs(2 * (6 + 5 + 4)));
  EXPECT_EQ(summary["replicas"], 1);
  EXPECT_EQ(summary["copies"], 4);
  EXPECT_TRUE(summary["log_evidence"].is_null()) << "a ladder of one replica has none";
  EXPECT_EQ(json("alone/manifest.json")["input"]["path"], path("counts.tns").string());
  struct Case {
    int ranks;
    const char *group, *threads;
  };
  for (const auto& [ranks, group, threads] : {Case{1, "1", "4"}, Case{2, "1", "1"}, Case{2, "2", "1"},
                                              Case{3, "2", "1"}, Case{4, "2", "4"}, Case{7, "2", "1"}}) {
    SCOPED_TRACE(std::to_string(ranks) + " ranks, " + group + " for a replica, " + threads + " threads");
    start(with(arguments, {"--threads", threads, "--ranks-per-replica", group, "--overwrite"}), "run", ranks);
    expect_equal_runs("run", "alone");
  }
}

TEST_F(SampleCommand, TemperingOfATensorIsTheSameOnAnyNumberOfRanks) {
  const Arguments arguments{"--tensor", counts(), "--rank", "1", "--rounds", "5", "--quiet"};
  start(arguments, "alone");
  EXPECT_TRUE(json("alone/summary.json")["log_evidence"].is_number());
  for (const auto& [ranks, group] : {std::pair{2, "2"}, std::pair{3, "1"}, std::pair{4, "2"}}) {
    start(with(arguments, {"--ranks-per-replica", group, "--overwrite"}), "run", ranks);
    expect_equal_runs("run", "alone");
  }
}

TEST_F(SampleCommand, KeepsEveryTemperatureWhenAsked) {
  const Arguments arguments{"--target", "gaussian", "--rounds", "5", "--copies", "2", "--quiet"};
  start(arguments, "target");
  start(with(arguments, {"--keep", "all"}), "all");
  const NetcdfContents target(path("target/draws.nc").string()), all(path("all/draws.nc").string());
  const auto replicas = json("all/summary.json")["replicas"].get<std::size_t>();
  auto result = result_of("all");
  EXPECT_LT(std::abs(result["parameters_weighted"]["x[1]"]["mean"].get<double>()), 0.2);
  result.erase("parameters_weighted");
  EXPECT_EQ(result_of("target"), result) << "what is kept changes no draw";
  EXPECT_EQ(all.values("posterior", "x"), target.values("posterior", "x"));
  EXPECT_EQ(all.sizes("tempering_draws", "x"), (std::vector<std::size_t>{2 * replicas, 32, 1}));
  const auto every = all.values("tempering_draws", "x"), kept = all.values("posterior", "x");
  const auto chain_of = [](const std::vector<double>& values, std::size_t chain) {
    const auto from = values.begin() + static_cast<std::ptrdiff_t>(32 * chain);
    return std::vector<double>(from, from + 32);
  };
  // The last temperature of each copy is the target.
  EXPECT_EQ(chain_of(every, replicas - 1), chain_of(kept, 0));
  EXPECT_EQ(chain_of(every, 2 * replicas - 1), chain_of(kept, 1));
}

TEST_F(SampleCommand, ThinsWhatItKeepsAndNotWhatItDoes) {
  const Arguments arguments{"--target", "gaussian", "--rounds", "6", "--quiet"};
  start(arguments, "whole");
  start(with(arguments, {"--thin", "3"}), "thin");
  const auto whole = NetcdfContents(path("whole/draws.nc").string()).values("posterior", "x");
  const auto thin = NetcdfContents(path("thin/draws.nc").string()).values("posterior", "x");
  ASSERT_THAT(thin, SizeIs(22));
  for (std::size_t draw = 0; draw < thin.size(); ++draw) EXPECT_EQ(thin[draw], whole[3 * draw]);
  EXPECT_EQ(json("thin/summary.json")["log_evidence"], json("whole/summary.json")["log_evidence"]);
  start(with(arguments, {"--thin", "1000"}), "one");
  EXPECT_EQ(json("one/summary.json")["draws"], 1);
  EXPECT_THAT(json("one/summary.json")["verdict"]["reasons"][0].get<std::string>(), HasSubstr("too few draws"));
}

TEST_F(SampleCommand, EndsEarlyWhereItsDrawsSuffice) {
  const Arguments gaussian{"--target", "gaussian", "--quiet"};
  start(with(gaussian, {"--until-ess", "100"}), "ess", 2);
  const Json ess = json("ess/summary.json");
  EXPECT_LT(ess["rounds"].get<int>(), 12);
  EXPECT_GE(std::min(ess["parameters"]["x[1]"]["ess_bulk"].get<double>(),
                     ess["parameters"]["x[1]"]["ess_tail"].get<double>()),
            100);
  start(with(gaussian, {"--rounds", std::to_string(ess["rounds"].get<int>())}), "ess-rounds");
  expect_equal_runs("ess", "ess-rounds");
  start(with(gaussian, {"--until-rhat", "1.05", "--copies", "2"}), "rhat");
  EXPECT_LT(json("rhat/summary.json")["rounds"].get<int>(), 12);
  EXPECT_LE(json("rhat/summary.json")["parameters"]["x[1]"]["rhat"].get<double>(), 1.05);
  // --rounds is the most that a criterion may take.
  start(with(gaussian, {"--until-ess", "1e9", "--rounds", "4"}), "most");
  EXPECT_EQ(json("most/summary.json")["rounds"], 4);
}

TEST_F(SampleCommand, NutsIsAPlainMarkovChainOfFourStreams) {
  const auto result = sample({"--target", "eight-schools", "--algorithm", "nuts", "--rounds", "8", "--output", "run"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(occurrences(result.out, "log evidence"), 0);
  const Json summary = json("run/summary.json");
  EXPECT_EQ(summary["explorer"], "nuts");
  EXPECT_EQ(summary["replicas"], 1);
  EXPECT_EQ(summary["streams"], 4);
  for (const char* key : {"log_evidence", "log_evidence_error", "barrier", "rejection_sum"})
    EXPECT_TRUE(summary.at(key).is_null()) << key;
  EXPECT_GT(summary["gradient_evaluations"].get<int>(), 0);
  EXPECT_GT(summary["hamiltonian"]["e_bfmi"].get<double>(), 0);
  const NetcdfContents file(path("run/draws.nc").string());
  for (const char* name : {"energy", "diverging", "tree_depth", "step_size", "acceptance_rate", "n_steps"})
    EXPECT_EQ(file.sizes("sample_stats", name), (std::vector<std::size_t>{4, 256})) << name;
}

TEST_F(SampleCommand, BeginsALadderWhereItIsTold) {
  const Arguments gaussian{"--target",     "gaussian", "--set", "dim=3",  "--set",
                           "precision=50", "--rounds", "9",     "--quiet"};
  const double exact = -1.5 * std::log(50.0);
  for (const auto& [reference, name] : {std::pair{"prior", "prior"}, std::pair{"gaussian", "gaussian"},
                                        std::pair{"variational", "gaussian"}, std::pair{"two-leg", "two-leg"}}) {
    SCOPED_TRACE(reference);
    start(with(gaussian, {"--reference", reference, "--overwrite"}), "run", 2);
    const Json summary = json("run/summary.json");
    EXPECT_EQ(summary["reference"], name);
    // A reference fitted to a Gaussian leaves next to no error, which one must not divide by.
    EXPECT_NEAR(summary["log_evidence"].get<double>(), exact, 5 * summary["log_evidence_error"].get<double>() + 0.05);
    if (std::string(name) == "two-leg") {
      EXPECT_EQ(summary["streams"], 2) << "each leg ends at the target";
      EXPECT_TRUE(summary["evidence"].contains("second_leg"));
    }
  }
}

TEST_F(SampleCommand, TakesDataForABuiltInTarget) {
  file("schools.json", R"({"J":3,"y":[28,8,-3],"sigma":[15,10,16]})");
  start({"--target", "eight-schools", "--data", "schools.json", "--rounds", "4", "--quiet"}, "run", 2);
  EXPECT_THAT(json("run/summary.json")["parameters"], SizeIs(5));
  EXPECT_EQ(json("run/manifest.json")["input"]["path"], path("schools.json").string());
}

TEST_F(SampleCommand, ExplorersTakeSettingsAndStepInTurn) {
  for (const char* explorer : {"slice:passes=2", "rwm", "slice+rwm", "slice@1+mala@3", "hmc", "elliptical"}) {
    SCOPED_TRACE(explorer);
    start({"--target", "gaussian", "--rounds", "5", "--quiet", "--explorer", explorer, "--overwrite"}, "run");
    EXPECT_EQ(json("run/summary.json")["explorer"], explorer);
  }
}

TEST_F(SampleCommand, SaysOfARunHowItStands) {
  start({"--target", "mixture", "--rounds", "6", "--quiet"}, "run");
  const auto status = tempera({"status", "run"}, here());
  EXPECT_EQ(status.status, 0) << status.err;
  for (const char* part : {"tempera sample\n", "state       finished\n", "scan 126 of ", "log_evidence -4.",
                           "'tempera resume run --rounds N' extends it, N above 6"})
    EXPECT_THAT(status.out, HasSubstr(part));
}

TEST_F(SampleCommand, OverwritesARunOnlyWhenTold) {
  const Arguments gaussian{"--target", "gaussian", "--rounds", "3", "--quiet"};
  start(gaussian, "run");
  const std::string before = text("run/draws.nc");
  const auto refused = sample(with(gaussian, {"--seed", "5", "--output", "run"}), 2);
  EXPECT_EQ(refused.status, 5);
  EXPECT_THAT(refused.err, HasSubstr("tempera: error: run: the output folder is not empty\n"
                                     "hint: choose another --output, or --overwrite to replace the run in it\n"));
  EXPECT_EQ(text("run/draws.nc") == before, true);
  start(with(gaussian, {"--seed", "5", "--overwrite"}), "run");
  EXPECT_EQ(text("run/draws.nc") == before, false);
}

}  // namespace
}  // namespace tempera::test
