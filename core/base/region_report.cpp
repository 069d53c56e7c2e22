#include "core/base/region_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/contract.hpp"
#include "core/base/text.hpp"

namespace tempera {

namespace {

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

/// Appends the children of `parent` and, after each, its own, in the order of `paths`.
void append_children(const std::vector<std::string>& paths, const std::string& parent,
                     std::vector<std::string>& order) {
  for (const std::string& path : paths) {
    if (path.empty() || parent_of(path) != parent) continue;
    order.push_back(path);
    append_children(paths, path, order);
  }
}

std::vector<std::string> ordered_paths(std::span<const std::vector<RegionTable::Row>> ranks) {
  std::vector<std::string> paths;
  for (const auto& rows : ranks)
    for (const RegionTable::Row& row : rows)
      if (std::find(paths.begin(), paths.end(), row.path) == paths.end()) paths.push_back(row.path);
  std::vector<std::string> order;
  append_children(paths, "", order);
  order.push_back("");
  return order;
}

std::string shown_name(const std::string& path) {
  if (path.empty()) return "(outside)";
  const auto depth = static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
  const std::size_t slash = path.rfind('/');
  return std::string(2 * depth, ' ') + (slash == std::string::npos ? path : path.substr(slash + 1));
}

}  // namespace

std::vector<RegionSummary> summarize_regions(std::span<const std::vector<RegionTable::Row>> ranks) {
  TEMPERA_EXPECTS(!ranks.empty());
  std::vector<RegionSummary> summaries;
  for (const std::string& path : ordered_paths(ranks)) {
    RegionSummary summary;
    summary.path = path;
    double total = 0;
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
      const auto& rows = ranks[rank];
      const auto found = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.path == path; });
      const RegionTable::Row row = found == rows.end() ? RegionTable::Row{} : *found;
      summary.calls = std::max(summary.calls, row.calls);
      summary.seconds_min = rank == 0 ? row.seconds : std::min(summary.seconds_min, row.seconds);
      summary.seconds_max = std::max(summary.seconds_max, row.seconds);
      summary.messages += row.messages;
      summary.bytes += row.bytes;
      summary.bytes_max = std::max(summary.bytes_max, row.bytes);
      total += row.seconds;
      summary.seconds_of_ranks.push_back(row.seconds);
      summary.messages_of_ranks.push_back(row.messages);
      summary.bytes_of_ranks.push_back(row.bytes);
    }
    summary.seconds_mean = total / static_cast<double>(ranks.size());
    if (!path.empty() || summary.messages > 0) summaries.push_back(std::move(summary));
  }
  return summaries;
}

std::string region_table_text(std::span<const RegionSummary> regions) {
  int widest = display_width("region");
  for (const RegionSummary& region : regions) widest = std::max(widest, display_width(shown_name(region.path)));
  std::string text = fmt::format("{:{}}  {:>9}  {:>10}  {:>10}  {:>10}  {:>10}  {:>10}\n", "region", widest, "calls",
                                 "min s", "mean s", "max s", "messages", "sent");
  for (const RegionSummary& region : regions)
    text += fmt::format("{:{}}  {:>9}  {:>10.4f}  {:>10.4f}  {:>10.4f}  {:>10}  {:>10}\n", shown_name(region.path),
                        widest, region.calls, region.seconds_min, region.seconds_mean, region.seconds_max,
                        region.messages, human_bytes(static_cast<double>(region.bytes)));
  return text;
}

nlohmann::ordered_json region_table_json(std::span<const RegionSummary> regions, bool each_rank) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const RegionSummary& region : regions) {
    rows.push_back({{"region", region.path},
                    {"calls", region.calls},
                    {"seconds_min", region.seconds_min},
                    {"seconds_mean", region.seconds_mean},
                    {"seconds_max", region.seconds_max},
                    {"messages", region.messages},
                    {"bytes", region.bytes},
                    {"bytes_max", region.bytes_max}});
    if (!each_rank) continue;
    rows.back()["seconds_of_ranks"] = region.seconds_of_ranks;
    rows.back()["messages_of_ranks"] = region.messages_of_ranks;
    rows.back()["bytes_of_ranks"] = region.bytes_of_ranks;
  }
  return rows;
}

}  // namespace tempera
