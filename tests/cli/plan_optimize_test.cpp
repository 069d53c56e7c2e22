#include <cmath>

#include "tests/support/command_runs.hpp"

namespace tempera {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class PlanOptimize : public test::CommandRuns {
 protected:
  PlanOptimize() : CommandRuns("plan") {}
  Json plan(const Arguments& arguments) const {
    const auto result = run(with(with({"optimize"}, arguments), {"--json"}));
    EXPECT_EQ(result.status, 0) << result.err;
    return result.status == 0 ? Json::parse(result.out) : Json();
  }
};

TEST_F(PlanOptimize, LaysTheRanksOutAsARunDoes) {
  const Json plan = this->plan({"--objective", "branin", "--scheduler", "sobol", "--ranks", "12", "--ranks-per-trial",
                                "3", "--trial-seconds", "10", "--budget", "60"});
  EXPECT_EQ(plan["layout"]["groups"], 3);
  EXPECT_EQ(plan["layout"]["idle_ranks"], 2);
  EXPECT_THAT(plan["warnings"][0].get<std::string>(), HasSubstr("2 of 12 MPI ranks have nothing to do"));
  EXPECT_THAT(plan["proposals"], IsEmpty());
  ASSERT_EQ(plan["times"].size(), 1);
  const Json& rows = plan["times"][0]["scaling"];
  EXPECT_EQ(rows.back()["mpi_ranks"], 12);
  EXPECT_EQ(rows.back()["workers"], 3);
  EXPECT_NEAR(rows.back()["seconds"].get<double>(), 200, 15);
  EXPECT_GT(rows.back()["busy_fraction"].get<double>(), 0.9);
}

TEST_F(PlanOptimize, MeasuresProposalsAndTellsWhatTheyKeepBusy) {
  const Arguments arguments{"--objective", "branin", "--hyperparameters", "mle", "--budget", "5000", "--ranks", "257"};
  const Json plan = this->plan(arguments);
  ASSERT_GE(plan["proposals_measured"].size(), 1);
  EXPECT_EQ(plan["proposals"].back()["trials"], 5000);
  const double last = plan["proposals"].back()["seconds"];
  EXPECT_EQ(plan["proposals_measured"].back()["trials"], 80);
  EXPECT_GE(last, plan["proposals_measured"].back()["seconds_following"].get<double>());
  ASSERT_EQ(plan["times"].size(), 3);
  for (const Json& times : plan["times"]) {
    const double served = times["trial_seconds"].get<double>() / last;
    EXPECT_NEAR(times["workers_served"].get<double>() / served, 1, 1e-12);
    EXPECT_LE(times["scaling"].back()["busy_fraction"].get<double>(), 1.0);
  }
  EXPECT_LT(plan["times"][0]["scaling"].back()["busy_fraction"].get<double>(), 0.9) << "256 workers a second";
  EXPECT_EQ(plan["model_bytes"], 8 * 5000 * 5000 * 34LL / 10);
  EXPECT_THAT(run(with({"optimize"}, arguments)).out, HasSubstr("from 1500 trials on --model-ranks M"));
}

TEST_F(PlanOptimize, ForeseesWhatTheTrialsOfARunSendToTheByte) {
  for (const int ranks : {1, 2, 4}) {
    const Arguments problem{"--objective", "hartmann6", "--scheduler", "sobol", "--budget", "60"};
    const std::string run = "run-" + std::to_string(ranks);
    const auto result =
        test::tempera_ranks(ranks, with(with({"optimize"}, problem), {"--quiet", "--output", run}), here());
    ASSERT_EQ(result.status, 0) << result.err;
    const Json region = json(run + "/summary.json")["regions"][0];
    ASSERT_EQ(region["region"], "optimize");
    const Json plan = this->plan(with(problem, {"--ranks", std::to_string(ranks)}));
    EXPECT_EQ(plan["bytes_of_trials"].get<Index>() + plan["bytes_beside_trials"].get<Index>(), region["bytes"]);
    EXPECT_EQ(plan["messages_of_trials"].get<Index>() + plan["messages_beside_trials"].get<Index>(),
              region["messages"]);
  }
}

TEST_F(PlanOptimize, ForeseesWhatRanksOfTheModelSend) {
  const Arguments problem{"--objective", "branin", "--scheduler",   "batch", "--batch",           "4",
                          "--budget",    "40",     "--model-ranks", "2",     "--hyperparameters", "map"};
  const auto result = test::tempera_ranks(4, with(with({"optimize"}, problem), {"--quiet", "--output", "run"}), here());
  ASSERT_EQ(result.status, 0) << result.err;
  const Json region = json("run/summary.json")["regions"][0];
  const Json plan = this->plan(with(problem, {"--ranks", "4"}));
  const double trials = plan["bytes_of_trials"].get<double>() + plan["bytes_beside_trials"].get<double>();
  ASSERT_EQ(plan["times"].size(), 3);
  for (const Json& times : plan["times"])  // how many candidates a proposal looks at varies a little
    EXPECT_NEAR((times["bytes_of_model_estimate"].get<double>() + trials) / region["bytes"].get<double>(), 1, 0.05);
  EXPECT_FALSE(plan.contains("shared_evidence"));
}

TEST_F(PlanOptimize, TellsWhatModelsThatRanksShareSend) {
  const Arguments problem{"--objective", "branin", "--budget", "3072", "--hyperparameters", "map", "--ranks", "6"};
  const Json plan = this->plan(with(problem, {"--model-ranks", "4"}));
  EXPECT_NEAR(plan["shared_evidence"]["scalapack_bytes_estimate"].get<double>() / (7.319e7 + 1.733e8), 1, 0.15)
      << "as MPI's profiling interface counted PDPOTRF and PDPOTRI in blocks of 192 on 2 x 2 ranks";
  EXPECT_GT(plan["shared_evidence"]["bytes"].get<double>(), 3 * 3072 * 8);
  EXPECT_NEAR(std::log(plan["shared_evidence"]["of_a_fit_estimate"].get<double>() / 28), 0, std::log(3))
      << "as a fit with 1600 trials took";
  EXPECT_FALSE(this->plan(problem).contains("shared_evidence"));
}

TEST_F(PlanOptimize, ScalesWeaklyWithAsManyTrialsAWorker) {
  const Json plan = this->plan(
      {"--objective", "branin", "--scheduler", "sobol", "--budget", "640", "--ranks", "17", "--trial-seconds", "10"});
  const Json& rows = plan["times"][0]["weak_scaling"];
  ASSERT_EQ(rows.size(), 6);
  EXPECT_EQ(rows.back()["trials"], 640);
  EXPECT_EQ(rows.back()["seconds"], plan["times"][0]["scaling"].back()["seconds"]);
  for (const Json& row : rows) {
    EXPECT_EQ(row["trials"], 40 * row["workers"].get<int>());
    EXPECT_NEAR(row["seconds"].get<double>(), 400, 40);
    EXPECT_NEAR(row["speedup"].get<double>(), row["workers"].get<double>(), 0.1 * row["workers"].get<double>());
  }
}

// Two minutes: the models have to be large.
TEST_F(PlanOptimize, DISABLED_MemoryIsWithinATenthOfWhatRunsTake) {
  for (const Arguments& more :
       {Arguments{"--budget", "400"}, Arguments{"--budget", "1000", "--hyperparameters", "map"}}) {
    const Arguments problem = with({"--objective", "hartmann6"}, more);
    const std::string run = "run-" + more[1];
    test::ProcessSettings settings = here();
    settings.seconds = 600;
    const auto result = test::tempera(with(with({"optimize"}, problem), {"--quiet", "--output", run}), settings);
    ASSERT_EQ(result.status, 0) << result.err;
    const double measured = json(run + "/summary.json")["memory_growth_bytes_max"];
    const double planned = this->plan(with(problem, {"--ranks", "1"}))["memory_growth_bytes"];
    EXPECT_NEAR(planned / measured, 1, 0.1) << run << " took " << measured;
  }
}

TEST_F(PlanOptimize, DrawsACurveForEachLengthOfTrials) {
  const auto result =
      run({"optimize", "--objective", "branin", "--scheduler", "sobol", "--ranks", "17", "--figure", "f.svg"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("\nfigure: f.svg\n"));
  EXPECT_THAT(text("f.svg"), testing::AllOf(testing::StartsWith("<svg "), testing::EndsWith("</svg>\n")));
  EXPECT_EQ(test::occurrences(text("f.svg"), ">trials of "), 6) << "strong and weak scaling";
}

TEST_F(PlanOptimize, RefusesWhatARunWould) {
  const auto few = run({"optimize", "--objective", "branin", "--ranks", "3", "--model-ranks", "4"});
  EXPECT_EQ(few.status, 2);
  EXPECT_EQ(
      few.err,
      "tempera: error: --model-ranks: 4 would compute the model, one proposes and a trial takes 1 MPI rank, so the "
      "job needs 6 MPI ranks at least; it has 3\nhint: mpirun -n 6, or fewer of them\n");
  const auto nothing = run({"optimize", "--ranks", "3"});
  EXPECT_EQ(nothing.status, 2);
  EXPECT_THAT(nothing.err, HasSubstr("nothing to optimise"));
}

}  // namespace
}  // namespace tempera
