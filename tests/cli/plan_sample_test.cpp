#include <cmath>

#include "tests/cli/sample_fixture.hpp"

// `tempera plan sample` against runs of `tempera sample` on 1, 2 and 4 ranks.

namespace tempera {
namespace {

using testing::HasSubstr;

class PlanSample : public test::SampleCommand {
 protected:
  Json plan(const Arguments& arguments, int ranks) const {
    const auto result =
        test::tempera(with({"plan", "sample"}, with(arguments, {"--ranks", std::to_string(ranks), "--json"})), here());
    EXPECT_EQ(result.status, 0) << result.err;
    return result.status == 0 ? Json::parse(result.out) : Json();
  }
  std::string plan_text(const Arguments& arguments) const {
    const auto result = test::tempera(with({"plan", "sample"}, arguments), here());
    EXPECT_EQ(result.status, 0) << result.err;
    return result.out;
  }
  void expect_plan_refusal(const Arguments& arguments, int status, const std::string& message) const {
    const auto result = test::tempera(with({"plan", "sample"}, arguments), here());
    EXPECT_EQ(result.status, status);
    EXPECT_EQ(result.err, message);
  }

  struct Sent {
    Index messages = 0, bytes = 0;
  };
  static Sent counted(const Json& summary, const std::string& region) {
    for (const Json& one : summary["regions"])
      if (one["region"] == region) return {one["messages"], one["bytes"]};
    return {};
  }
  static const Json& planned(const Json& plan, const std::string& region) {
    for (const Json& one : plan["regions"])
      if (one["region"] == region) return one;
    throw std::runtime_error("no region " + region);
  }
  static void expect_equal(const Json& plan, const Json& summary, const std::string& region) {
    const Sent sent = counted(summary, region);
    EXPECT_EQ(planned(plan, region)["certainty"], "exact");
    EXPECT_EQ(planned(plan, region)["messages"], sent.messages) << region;
    EXPECT_EQ(planned(plan, region)["bytes"], sent.bytes) << region;
  }
};

const char* const kExact[] = {"tempering/start", "tempering/round end", "tempering/estimate", "tempering/adapt",
                              "results"};

TEST_F(PlanSample, TellsToTheByteWhatRunsSendWhereNoDrawDecidesIt) {
  const Arguments ways[] = {
      {"--target", "gaussian", "--replicas", "6", "--rounds", "7"},
      {"--target", "mixture", "--replicas", "4", "--copies", "3", "--rounds", "6", "--keep", "all", "--thin", "3",
       "--explorer", "rwm"},
      {"--target", "gaussian", "--set", "dim=3", "--replicas", "8", "--rounds", "6", "--reference", "two-leg"}};
  for (std::size_t way = 0; way < std::size(ways); ++way)
    for (const int ranks : {1, 2, 4}) {
      SCOPED_TRACE(std::to_string(way) + " on " + std::to_string(ranks));
      const std::string name = "run" + std::to_string(way) + "-" + std::to_string(ranks);
      start(ways[way], name, ranks);
      const Json expected = plan(ways[way], ranks), summary = json(name + "/summary.json");
      for (const char* region : kExact) expect_equal(expected, summary, region);
      const Sent swaps = counted(summary, "tempering/swap");
      EXPECT_LE(swaps.messages, planned(expected, "tempering/swap")["messages_most"]);
      EXPECT_NEAR(static_cast<double>(swaps.messages), planned(expected, "tempering/swap")["messages"],
                  60 + 0.2 * static_cast<double>(swaps.messages));
      EXPECT_EQ(swaps.bytes, 24 * swaps.messages);
      const std::string statistics = "tempering/estimate/statistics + tempering/adapt/statistics";
      EXPECT_LE(counted(summary, "tempering/estimate/statistics").bytes +
                    counted(summary, "tempering/adapt/statistics").bytes,
                planned(expected, statistics)["bytes"]);
    }
}

/// Groups of two ranks: what an evaluation sends is told, the run says how many there were.
TEST_F(PlanSample, TellsToTheByteWhatTheEvaluationsOfAGroupSend) {
  SparseTensor tensor({30, 20, 10});
  for (Index k = 0; k < 3000; ++k)
    tensor.append(std::vector<Index>{k % 30, k / 30 % 20, (k / 600 + k) % 10}, static_cast<double>(1 + k % 3));
  write_tns(folder_ / "large.tns", tensor);
  const Arguments arguments{
      "--tensor", "large.tns", "--rank",     "2",   "--missing",           "unobserved", "--replicas", "2",
      "--rounds", "3",         "--explorer", "rwm", "--ranks-per-replica", "2",          "--holdout",  "0.1"};
  for (const int ranks : {2, 4}) {
    const std::string name = "run-" + std::to_string(ranks);
    start(arguments, name, ranks);
    const Json expected = plan(arguments, ranks), summary = json(name + "/summary.json");
    for (const char* region : kExact) expect_equal(expected, summary, region);
    const Index evaluations = summary["density_evaluations"];
    const auto of = [&](const char* side, const char* what) {
      return expected["density_traffic"][side][what].get<Index>();
    };
    Sent leaders;
    for (const char* region : {"tempering/start/density", "tempering/explore/density", "tempering/adapt/density"}) {
      leaders.messages += counted(summary, region).messages;
      leaders.bytes += counted(summary, region).bytes;
    }
    EXPECT_EQ(summary["gradient_evaluations"], 0);
    EXPECT_GT(of("leader_value", "bytes"), 0);
    EXPECT_EQ(leaders.bytes, evaluations * of("leader_value", "bytes"));
    EXPECT_EQ(leaders.messages, evaluations * of("leader_value", "messages"));
    EXPECT_EQ(counted(summary, "density").bytes, evaluations * of("others_value", "bytes"));
  }
}

TEST_F(PlanSample, MemoryIsWithinATenthOfWhatRunsTake) {
  const Arguments ways[] = {
      {"--target", "gaussian", "--set", "dim=1", "--replicas", "8", "--rounds", "16", "--explorer", "rwm", "--thin",
       "16"},
      {"--target", "gaussian", "--set", "dim=1", "--replicas", "1", "--rounds", "17", "--explorer", "rwm"}};
  for (const Arguments& way : ways)
    for (const int ranks : {1, 2}) {
      const std::string name = "run" + std::to_string(&way - ways) + "-" + std::to_string(ranks);
      start(way, name, ranks);
      const double grown = json(name + "/summary.json")["memory_growth_bytes_max"];
      EXPECT_NEAR(plan(way, ranks)["memory_growth_bytes_max"].get<double>() / grown, 1, 0.1) << name << ": " << grown;
    }
}

TEST_F(PlanSample, SaysHowReplicasLieOnTheRanksAndHowManyAreOfUse) {
  const Arguments mixture{"--target", "mixture", "--replicas", "5", "--copies", "2"};
  const Json seven = plan(mixture, 7)["layout"];
  EXPECT_EQ(seven["replicas_of_a_group_most"], 2);
  EXPECT_EQ(seven["replicas_of_a_group_least"], 1);
  EXPECT_EQ(seven["idle_ranks"], 0);
  EXPECT_EQ(seven["ranks_of_use"], 10);
  EXPECT_EQ(seven["ranks_as_fast"], 5);
  const Json many = plan(mixture, 16);
  EXPECT_EQ(many["layout"]["idle_ranks"], 6);
  EXPECT_EQ(many["layout"]["ranks_as_fast"], 10);
  EXPECT_THAT(many["warnings"][0].get<std::string>(), HasSubstr("6 of 16 MPI ranks have no replica"));
  EXPECT_EQ(many["scaling"].size(), 5);
  EXPECT_EQ(many["scaling"][0]["speedup"], 1.0);
  const Json copies = plan({"--target", "mixture", "--replicas", "3", "--copies", "8"}, 4);
  EXPECT_EQ(copies["swap_letters_per_scan"], 0.0) << "every ladder lies on one rank";
}

TEST_F(PlanSample, OfAsManyCopiesARankEveryRankIsOfUse) {
  const Arguments run{"--target", "gaussian", "--replicas", "6"};
  const Json planned = plan(run, 8);
  const Json& weak = planned["weak_scaling"];
  ASSERT_EQ(weak.size(), 4);
  EXPECT_EQ(weak[0]["scan_seconds"], planned["scaling"][0]["scan_seconds"]);
  for (const Json& row : weak) {
    EXPECT_EQ(row["exploring_seconds"], weak[0]["exploring_seconds"]) << "each rank has six replicas";
    EXPECT_DOUBLE_EQ(row["speedup"].get<double>(), row["mpi_ranks"].get<double>() * row["efficiency"].get<double>());
  }
  EXPECT_THAT(plan_text(with(run, {"--ranks", "8", "--figure", "f.svg"})), HasSubstr("\nfigure: f.svg\n"));
  EXPECT_THAT(test::read_text(folder_ / "f.svg"), testing::HasSubstr(">weak scaling: as many copies a rank<"));
}

TEST_F(PlanSample, TakesTheNumberOfReplicasFromABarrierOrAnEarlierRun) {
  start({"--target", "gaussian", "--rounds", "8"}, "run");
  const double barrier = json("run/summary.json")["barrier"];
  const Json like = plan({"--target", "gaussian", "--like", "run"}, 4);
  EXPECT_EQ(like["barrier"].get<double>(), barrier);
  EXPECT_EQ(like["replicas"], 1 + static_cast<int>(std::ceil(2 * barrier)));
  EXPECT_EQ(like["replicas"], json("run/summary.json")["replicas"]);
  const Json given = plan({"--target", "gaussian", "--barrier", "10", "--rounds", "10"}, 4);
  EXPECT_EQ(given["replicas"], 21);
  EXPECT_NEAR(given["round_trips"]["rejection"].get<double>(), 0.5, 1e-12);
  EXPECT_NEAR(given["round_trips"]["last_round"].get<double>(), 1024 / (2 + 2 * 20.0), 1e-9);
  EXPECT_NEAR(given["round_trips"]["last_round_limit"].get<double>(), 1024 / (2 + 2 * 10.0), 1e-9);
  EXPECT_EQ(planned(given, "tempering/adapt")["certainty"], "estimate");
  EXPECT_EQ(plan({"--target", "gaussian"}, 4)["replicas_known"], false);
  EXPECT_THAT(plan_text({"--target", "gaussian", "--ranks", "4"}), HasSubstr("--barrier X or --like RUN"));
}

TEST_F(PlanSample, RefusesWhatItCannotPlan) {
  expect_plan_refusal({"--target", "gaussian"}, 2,
                      "tempera: error: --ranks is missing\nhint: see 'tempera plan sample --help'\n");
  expect_plan_refusal(
      {"--ranks", "4"}, 2,
      "tempera: error: --target: nothing to sample\nhint: give --target NAME (`tempera help targets` lists "
      "them) or --tensor INPUT --rank R\n");
  expect_plan_refusal({"--target", "gaussian", "--ranks", "4", "--like", "nowhere"}, 2,
                      "tempera: error: --like: nowhere has no summary.json\nhint: name the folder of a finished run of "
                      "'tempera sample'\n");
  expect_plan_refusal({"--target", "gaussian", "--ranks", "4", "--like", "nowhere", "--barrier", "3"}, 2,
                      "tempera: error: --like: --barrier is given as well\nhint: leave out one of the two\n");
}

}  // namespace
}  // namespace tempera
