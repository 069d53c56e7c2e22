#include "tests/cli/optimize_fixture.hpp"

namespace tempera::test {
namespace {

using testing::HasSubstr;

using OptimizeCmaEs = OptimizeCommand;

TEST_F(OptimizeCmaEs, InBatchesTheTrialsAreTheSameOnEveryNumberOfRanksAndAfterAResume) {
  const Arguments arguments{"--objective", "rosenbrock", "--set", "dim=3", "--scheduler", "cma-es", "--batch", "7"};
  start(with(arguments, {"--budget", "60"}), "one");
  start(with(arguments, {"--budget", "60", "--ranks-per-trial", "2"}), "many", 4);
  EXPECT_EQ(trials("many"), trials("one"));
  start(with(arguments, {"--budget", "25"}), "run", 2);
  ASSERT_EQ(resume(3, "run", {"--budget", "60"}).status, 0);
  EXPECT_EQ(trials("run"), trials("one"));
  EXPECT_EQ(json("one/summary.json")["scheduler"], "cma-es");
  EXPECT_EQ(trials("one").back()["why"]["rule"], "cma-es");
}

TEST_F(OptimizeCmaEs, AsynchronouslyItComesDownToTheOptimum) {
  for (const int ranks : {0, 4}) {
    start({"--objective", "sphere", "--set", "dim=3", "--scheduler", "cma-es", "--budget", "600", "--overwrite"}, "run",
          ranks);
    EXPECT_LT(json("run/summary.json")["regret"].get<double>(), 1e-6) << ranks;
  }
}

TEST_F(OptimizeCmaEs, RefusesWhatItCannotDoBeforeThereIsAFolder) {
  file("space.toml", "[[parameter]]\nname = \"kind\"\ntype = \"categorical\"\nchoices = [\"a\", \"b\", \"c\"]\n");
  expect_refusal({"space.toml", "--command", "echo 1", "--scheduler", "cma-es"}, 2,
                 "--scheduler: cma-es needs values that have an order, and the 3 choices of 'kind' have none\n"
                 "hint: type = \"ordinal\" if their order means something, or another scheduler",
                 true);
  expect_refusal({"--objective", "branin", "--population", "8"}, 2,
                 "--population: is for --scheduler cma-es\nhint: leave out one of the two");
  expect_refusal({"--objective", "branin", "--scheduler", "cma-es", "--acquisition", "ei"}, 2,
                 "--acquisition: --scheduler cma-es needs no model\nhint: leave it out");
  expect_refusal({"--objective", "branin", "--scheduler", "cma-es", "--model-ranks", "1"}, 2,
                 "--model-ranks: --scheduler cma-es needs no model\nhint: leave it out");
}

}  // namespace
}  // namespace tempera::test
