#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "core/base/region_table.hpp"

namespace tempera {

/// One region seen over all ranks. A rank that never opened it counts with zeros.
struct RegionSummary {
  std::string path;        ///< "" for traffic outside any region
  std::int64_t calls = 0;  ///< most on one rank
  double seconds_min = 0;
  double seconds_mean = 0;
  double seconds_max = 0;
  std::int64_t messages = 0;   ///< sent by all ranks together
  std::int64_t bytes = 0;      ///< sent by all ranks together
  std::int64_t bytes_max = 0;  ///< most sent by one rank
  std::vector<double> seconds_of_ranks;
  std::vector<std::int64_t> messages_of_ranks;
  std::vector<std::int64_t> bytes_of_ranks;
};

/// Summary of the tables of all ranks (ranks[r] = RegionTable::rows() of rank r), each region followed by the regions
/// inside it, in order of first opening. @pre at least one rank
std::vector<RegionSummary> summarize_regions(std::span<const std::vector<RegionTable::Row>> ranks);

/// An aligned table: region (indented by depth), calls, min/mean/max seconds, messages and bytes sent.
std::string region_table_text(std::span<const RegionSummary> regions);
/// An array of {"region", "calls", "seconds_min", "seconds_mean", "seconds_max", "messages", "bytes", "bytes_max"}.
/// @param each_rank  with "seconds_of_ranks", "messages_of_ranks" and "bytes_of_ranks" as well
nlohmann::ordered_json region_table_json(std::span<const RegionSummary> regions, bool each_rank = false);

}  // namespace tempera
