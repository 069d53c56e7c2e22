#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/random_stream.hpp"
#include "core/io/tns.hpp"
#include "tests/support/data.hpp"
#include "tests/support/process.hpp"

namespace tempera {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class PlanOfADecomposition : public testing::Test {
 protected:
  void SetUp() override {
    const std::vector<Index> shape{60, 50, 40};
    TnsWriter writer(folder_ / "x.tns", shape);
    RandomStream stream(5, "plan", {});
    for (int k = 0; k < 3000; ++k)
      writer.append(
          std::vector<Index>{static_cast<Index>(60 * stream.uniform() * stream.uniform()),
                             static_cast<Index>(50 * stream.uniform()), static_cast<Index>(40 * stream.uniform())},
          1 + static_cast<double>(stream.uniform_index(5)));
    writer.commit();
  }
  test::ProcessResult plan(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "plan");
    return test::tempera(arguments, {.seconds = 60, .folder = folder_.path(), .environment = {}});
  }
  json json_plan(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    const auto result = plan(arguments);
    EXPECT_EQ(result.status, 0) << result.err;
    return json::parse(result.out, nullptr, false);
  }
  test::TemporaryFolder folder_;
};

// The command line of a run becomes that of its plan; words, grid and balance are those of the run.
TEST_F(PlanOfADecomposition, ForeseesWhatRunsOfOneToFourRanksExchange) {
  for (const int ranks : {1, 2, 3, 4}) {
    const std::vector<std::string> run{"decompose", "x.tns",    "--rank", "5",           "--iterations",
                                       "2",         "--output", "run",    "--overwrite", "--quiet"};
    ASSERT_EQ(test::tempera_ranks(ranks, run, {.seconds = 60, .folder = folder_.path(), .environment = {}}).status, 0);
    const json summary = json::parse(test::read_text(folder_ / "run/summary.json"));
    std::vector<std::string> asked(run.begin(), run.end());
    asked.insert(asked.end(), {"--ranks", std::to_string(ranks)});
    const json planned = json_plan(asked);
    EXPECT_EQ(planned["words_per_sweep"], summary["words_per_sweep"]) << ranks << " ranks";
    EXPECT_EQ(planned["grid"], summary["grid"]);
    EXPECT_EQ(planned["nonzeros"], summary["nonzeros"]);
    EXPECT_EQ(planned["active_ranks"], summary["active_ranks"]);
    for (const json& region : planned["sweep"]["regions"]) {
      // Words of rows are the same in every sweep.
      if (region["region"] != "sweep/share rows") continue;
      for (const json& real : summary["regions"])
        if (real["region"] == "cp-als/sweep/share rows") {
          EXPECT_EQ(2 * region["bytes"].get<std::int64_t>(), real["bytes"].get<std::int64_t>());
          EXPECT_EQ(2 * region["messages"].get<std::int64_t>(), real["messages"].get<std::int64_t>());
        }
    }
  }
}

TEST_F(PlanOfADecomposition, SaysItInATextWithTables) {
  const auto result = plan({"x.tns", "--ranks", "12", "--rank", "4", "--figure", "scaling.svg"});
  EXPECT_EQ(result.status, 0) << result.err;
  for (const char* part : {"Plan of a CP decomposition of x.tns on 12 MPI ranks", "  memory    ", "  grid      ",
                           "rows of mode 2", "none is known for what a sparse tensor has to communicate", "medium",
                           "coarse", "Strong scaling", "Weak scaling", "  advice    "})
    EXPECT_THAT(result.out, HasSubstr(part));
  EXPECT_THAT(test::read_text(folder_ / "scaling.svg"), testing::StartsWith("<svg "));
}

TEST_F(PlanOfADecomposition, OfMoreRanksThanTheTensorAllowsSaysHowManyAreUsed) {
  const json planned = json_plan({"x.tns", "--ranks", "100003"});
  EXPECT_LT(planned["active_ranks"], 100003);
  ASSERT_FALSE(planned["warnings"].empty());
  EXPECT_THAT(planned["warnings"][0].get<std::string>(), HasSubstr("would hold no data"));
}

TEST_F(PlanOfADecomposition, WarnsWhereMemoryDoesNotFitOrCommunicationDominates) {
  test::write_text(folder_ / "slow.toml", "memory-per-node = 1e6\nnetwork-latency = 1e-3\ncores-per-node = 2\n");
  const auto result = plan({"x.tns", "--ranks", "8", "--machine", "slow.toml"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("memory does not fit"));
  EXPECT_THAT(result.out, HasSubstr("communication dominates"));
}

TEST_F(PlanOfADecomposition, OfDenseDataComparesWithTheBound) {
  ASSERT_EQ(
      test::tempera({"convert", "x.tns", "x.npy"}, {.seconds = 60, .folder = folder_.path(), .environment = {}}).status,
      0);
  const json planned = json_plan({"decompose", "x.npy", "--ranks", "64", "--rank", "3"});
  EXPECT_TRUE(planned["dense"]);
  EXPECT_GE(planned["bound_ratio"], 1.0);
  EXPECT_LT(planned["bound_ratio"], 2.0);
  EXPECT_THAT(plan({"x.npy", "--ranks", "2", "--rank", "3"}).out, HasSubstr("bound"));
}

TEST_F(PlanOfADecomposition, RefusesWhatItCannotPlanWithOneMessageAndTheMend) {
  const auto refused = [&](const std::vector<std::string>& arguments, int status, const std::string& message) {
    const auto result = plan(arguments);
    EXPECT_EQ(result.status, status) << message;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, HasSubstr(message));
    EXPECT_EQ(test::occurrences(result.err, "tempera: error:"), 1);
    EXPECT_EQ(test::occurrences(result.err, "hint:"), 1) << result.err;
  };
  refused({"x.tns", "--ranks", "0"}, 2, "--ranks: 0 is out of range");
  refused({"x.tns"}, 2, "--ranks");
  refused({"absent.tns", "--ranks", "4"}, 3, "absent.tns");
  refused({"x.tns", "--ranks", "4", "--grid", "3x1x1"}, 2, "grid 3x1x1 is for 3 MPI ranks, but 4 run");
  refused({"x.tns", "--ranks", "4", "--constraint", "nonegative"}, 2, "nonegative");
  test::write_text(folder_ / "wrong.toml", "cores = 4\n");
  refused({"x.tns", "--ranks", "4", "--machine", "wrong.toml"}, 2, "wrong.toml:1");
  refused({"x.tns", "--ranks", "4", "--machine", "absent.toml"}, 2, "absent.toml");
  std::filesystem::create_directory(folder_ / "run");
  test::write_text(folder_ / "run/manifest.json", "{}\n");
  refused({"run", "--ranks", "4"}, 3, "is the folder of a run, not a tensor");
}

}  // namespace
}  // namespace tempera
