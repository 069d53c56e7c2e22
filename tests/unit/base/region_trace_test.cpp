#include "core/base/region_trace.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tempera {
namespace {

using Json = nlohmann::json;

Json events_of(const RegionTable& table, const TraceRank& rank, double shift) {
  return Json::parse("[" + trace_events(table, rank, shift) + trace_end(table.passes_left_out()) + "]");
}

TEST(RegionTrace, KeepsNothingUnlessAsked) {
  RegionTable table;
  { const auto guard = table.open("work"); }
  EXPECT_TRUE(table.passes().empty());
  EXPECT_EQ(table.passes_left_out(), 0);
}

TEST(RegionTrace, PassesHaveTheirOwnTrafficAndLieInsideTheirParents) {
  RegionTable table;
  table.count_traffic(1, 1000);
  table.record_passes(100);
  for (int round = 0; round < 2; ++round) {
    const auto sweep = table.open("sweep");
    table.count_traffic(1, 8);
    {
      const auto inner = table.open("exchange");
      table.count_traffic(2, 100 + round);
    }
    table.count_traffic(1, 16);
  }
  const auto& passes = table.passes();
  ASSERT_EQ(passes.size(), 4u);
  for (std::size_t k = 0; k < 4; k += 2) {
    EXPECT_EQ(table.rows()[passes[k].row].path, "sweep");
    EXPECT_EQ(passes[k].messages, 2);
    EXPECT_EQ(passes[k].bytes, 24);
    EXPECT_EQ(table.rows()[passes[k + 1].row].path, "sweep/exchange");
    EXPECT_EQ(passes[k + 1].messages, 2);
    EXPECT_EQ(passes[k + 1].bytes, 100 + static_cast<std::int64_t>(k / 2));
    EXPECT_GE(passes[k + 1].start, passes[k].start);
    EXPECT_LE(passes[k + 1].start + passes[k + 1].seconds, passes[k].start + passes[k].seconds + 1e-9);
  }
  EXPECT_GE(passes[2].start, passes[0].start + passes[0].seconds);
}

TEST(RegionTrace, KeepsTheFirstPassesAndCountsTheRest) {
  RegionTable table;
  table.record_passes(3);
  {
    const auto whole = table.open("whole");
    for (int k = 0; k < 5; ++k) const auto guard = table.open("step");
  }
  EXPECT_EQ(table.passes().size(), 3u);
  EXPECT_EQ(table.passes_left_out(), 3);
  EXPECT_GT(table.passes()[0].seconds, 0) << "what began first is closed, however much came after";
  EXPECT_EQ(table.rows()[2].calls, 5) << "the sums are of all";
  EXPECT_EQ(events_of(table, {}, 0).back()["args"]["count"], 3);
}

TEST(RegionTrace, EventsSayRankNodeAndShiftedTime) {
  RegionTable table;
  table.record_passes(10);
  { const auto guard = table.open("a\"b"); }
  const auto lasting = table.open("lasting");
  table.count_traffic(1, 7);
  const Json events = events_of(table, {3, 2, "host"}, 10);
  ASSERT_EQ(events.size(), 6u);
  EXPECT_EQ(events[0]["args"]["name"], "node 2 (host)");
  EXPECT_EQ(events[1]["args"]["name"], "rank 3");
  EXPECT_EQ(events[3]["name"], "a\"b");
  EXPECT_EQ(events[3]["ph"], "X");
  EXPECT_EQ(events[3]["pid"], 2);
  EXPECT_EQ(events[3]["tid"], 3);
  EXPECT_NEAR(events[3]["ts"].get<double>(), 1e7, 1e6);
  EXPECT_GT(events[4]["dur"].get<double>(), 0) << "a pass that lasts ends now";
  EXPECT_EQ(events[4]["args"]["bytes"], 7);
}

}  // namespace
}  // namespace tempera
