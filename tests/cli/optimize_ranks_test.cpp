#include "tests/cli/optimize_fixture.hpp"

namespace tempera::test {
namespace {

using testing::HasSubstr;

using OptimizeRanks = OptimizeCommand;

TEST_F(OptimizeRanks, TrialsAreTheSameForEveryNumberOfRanksATrial) {
  const Arguments arguments = with(
      square(), {"--budget", "14", "--scheduler", "batch", "--batch", "4", "--hyperparameters", "map", "--overwrite"});
  start(arguments, "one");
  for (const auto& [ranks, each] : {std::pair{3, "2"}, {4, "2"}, {4, "3"}}) {
    start(with(arguments, {"--ranks-per-trial", each, "--workers", "2"}), "many", ranks);
    EXPECT_EQ(trials("many"), trials("one")) << ranks << " ranks, " << each << " a trial";
    const Json summary = json("many/summary.json");
    EXPECT_EQ(summary["workers"], 2);
    EXPECT_EQ(summary["ranks_per_trial"], std::stoi(each));
    EXPECT_EQ(summary["warnings"].size(), ranks == 4 && std::string(each) == "2" ? 1u : 0u) << summary["warnings"];
  }
  // It goes on with groups of another size.
  ASSERT_EQ(resume(3, "many", {"--budget", "20", "--ranks-per-trial", "1"}).status, 0);
  ASSERT_EQ(resume(0, "one", {"--budget", "20"}).status, 0);
  EXPECT_EQ(trials("many"), trials("one"));
}

TEST_F(OptimizeRanks, TrialsAreTheSameForEveryNumberOfRanksOfTheModel) {
  for (const std::string method : {"bayes", "map"}) {
    const Arguments arguments{"--objective", "branin", "--budget",          "16",   "--scheduler", "batch",
                              "--batch",     "4",      "--hyperparameters", method, "--overwrite"};
    start(arguments, "one");
    for (const auto& [ranks, model] : {std::pair{4, "2"}, {3, "1"}, {4, "1"}}) {
      start(with(arguments, {"--model-ranks", model}), "many", ranks);
      EXPECT_EQ(trials("many"), trials("one")) << ranks << " ranks, " << model << " of the model";
      EXPECT_EQ(json("many/summary.json")["workers"], ranks - 1 - std::stoi(model));
    }
  }
  // It goes on with another number of them.
  ASSERT_EQ(resume(4, "many", {"--budget", "24", "--model-ranks", "2"}).status, 0);
  ASSERT_EQ(resume(0, "one", {"--budget", "24"}).status, 0);
  EXPECT_EQ(trials("many"), trials("one"));
}

TEST_F(OptimizeRanks, ACommandLearnsHowManyRanksItHasAndWhere) {
  file("space.toml", "[[parameter]]\nname = \"x\"\ntype = \"real\"\nlow = 0\nhigh = 1\n");
  const std::string program = script("ranks.sh", "echo $TEMPERA_RANKS $TEMPERA_NODES >&2\necho $1\n");
  const Arguments arguments{"space.toml", "--command", program + " {x}", "--scheduler", "sobol", "--budget", "4"};
  start(with(arguments, {"--ranks-per-trial", "3"}), "run", 4);
  start(arguments, "alone");
  const std::string three = text("run/trials/000003/stderr"), one = text("alone/trials/000003/stderr");
  ASSERT_EQ(one.substr(0, 2), "1 ");
  const std::string host = one.substr(2, one.size() - 3);
  EXPECT_FALSE(host.empty());
  EXPECT_EQ(three, "3 " + host + "," + host + "," + host + "\n");
}

TEST_F(OptimizeRanks, IdleRanksAreTold) {
  const auto result = optimize(
      {"--objective", "branin", "--scheduler", "sobol", "--budget", "6", "--ranks-per-trial", "2", "--output", "run"},
      4);
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("1 of 4 MPI ranks had nothing to do: a trial takes 2"));
  EXPECT_THAT(result.out, HasSubstr("workers       1 of 2 ranks"));
}

TEST_F(OptimizeRanks, TooFewRanksAreRefusedBeforeThereIsAFolder) {
  expect_refusal({"--objective", "branin", "--ranks-per-trial", "2"}, 2,
                 "--ranks-per-trial: a trial takes 2 MPI ranks and one more proposes, so the job needs 3 MPI ranks at "
                 "least; it has 1\nhint: mpirun -n 3, or fewer of them");
  expect_refusal(
      {"--objective", "branin", "--model-ranks", "2"}, 2,
      "--model-ranks: 2 would compute the model, one proposes and a trial takes 1 MPI rank, so the job needs 4 "
      "MPI ranks at least; it has 1\nhint: mpirun -n 4, or fewer of them");
  const auto result = optimize({"--objective", "branin", "--ranks-per-trial", "4", "--output", "refused"}, 4);
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(occurrences(result.err, "tempera: error: "), 1);
  EXPECT_THAT(result.err, HasSubstr("so the job needs 5 MPI ranks at least; it has 4"));
  EXPECT_FALSE(std::filesystem::exists(path("refused")));
}

}  // namespace
}  // namespace tempera::test
