#include "core/base/region_report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tempera {
namespace {

using Rows = std::vector<RegionTable::Row>;

std::vector<RegionSummary> two_ranks() {
  const std::vector<Rows> ranks{{{"", 0, 0, 1, 8},
                                 {"sweep", 2, 4.0, 0, 0},
                                 {"sweep/mttkrp", 6, 3.0, 0, 0},
                                 {"output", 1, 0.5, 0, 0},
                                 {"sweep/exchange", 6, 1.0, 12, 1024}},
                                {{"", 0, 0, 0, 0},
                                 {"sweep", 2, 2.0, 0, 0},
                                 {"sweep/mttkrp", 6, 1.0, 0, 0},
                                 {"sweep/exchange", 5, 0.5, 10, 2048}}};
  return summarize_regions(ranks);
}

TEST(RegionReport, TakesMinimumMeanAndMaximumOverAllRanksAlsoThoseWithoutTheRegion) {
  const auto regions = two_ranks();
  ASSERT_EQ(regions.size(), 5u);
  EXPECT_EQ(regions[1].path, "sweep/mttkrp");
  EXPECT_DOUBLE_EQ(regions[1].seconds_min, 1);
  EXPECT_DOUBLE_EQ(regions[1].seconds_mean, 2);
  EXPECT_DOUBLE_EQ(regions[1].seconds_max, 3);
  EXPECT_EQ(regions[2].path, "sweep/exchange") << "a region follows the one it lies in";
  EXPECT_EQ(regions[2].messages, 22);
  EXPECT_EQ(regions[2].bytes, 3072);
  EXPECT_EQ(regions[2].bytes_max, 2048);
  EXPECT_EQ(regions[3].path, "output");
  EXPECT_DOUBLE_EQ(regions[3].seconds_min, 0);
  EXPECT_DOUBLE_EQ(regions[3].seconds_mean, 0.25);
}

TEST(RegionReport, TextIsAligned) {
  EXPECT_EQ(region_table_text(two_ranks()),
            "region          calls       min s      mean s       max s    messages        sent\n"
            "sweep               2      2.0000      3.0000      4.0000           0         0 B\n"
            "  mttkrp            6      1.0000      2.0000      3.0000           0         0 B\n"
            "  exchange          6      0.5000      0.7500      1.0000          22    3.00 KiB\n"
            "output              1      0.0000      0.2500      0.5000           0         0 B\n"
            "(outside)           0      0.0000      0.0000      0.0000           1         8 B\n");
}

TEST(RegionReport, JsonNamesItsUnits) {
  EXPECT_EQ(region_table_json(two_ranks())[2].dump(),
            R"({"region":"sweep/exchange","calls":6,"seconds_min":0.5,"seconds_mean":0.75,"seconds_max":1.0,)"
            R"("messages":22,"bytes":3072,"bytes_max":2048})");
}

TEST(RegionReport, OutsideTrafficIsLeftOutWhereThereIsNone) {
  RegionTable table;
  { const auto guard = table.open("work"); }
  const std::vector<Rows> ranks{table.rows()};
  const auto regions = summarize_regions(ranks);
  ASSERT_EQ(regions.size(), 1u);
  EXPECT_EQ(regions[0].path, "work");
}

}  // namespace
}  // namespace tempera
