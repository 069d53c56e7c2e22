#include "core/base/region_trace.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace tempera {

namespace {

constexpr double kMicroseconds = 1e6;

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string trace_events(const RegionTable& table, const TraceRank& rank, double shift) {
  const std::string place = fmt::format(R"("pid":{},"tid":{})", rank.node, rank.rank);
  std::string text = fmt::format(R"({{"ph":"M","name":"process_name",{},"args":{{"name":{}}}}},)", place,
                                 quoted(fmt::format("node {} ({})", rank.node, rank.host)));
  text += fmt::format(
      "\n"
      R"({{"ph":"M","name":"thread_name",{},"args":{{"name":"rank {}"}}}},)",
      place, rank.rank);
  text += fmt::format(
      "\n"
      R"({{"ph":"M","name":"thread_sort_index",{},"args":{{"sort_index":{}}}}},)"
      "\n",
      place, rank.rank);
  std::vector<std::string> names;  // of the rows: the last part of the path, and all of it
  for (const RegionTable::Row& row : table.rows())
    names.push_back(
        fmt::format(R"("name":{},"cat":{})", quoted(row.path.substr(row.path.rfind('/') + 1)), quoted(row.path)));
  for (const RegionTable::Pass& pass : table.passes()) {
    const bool lasts = pass.seconds < 0;
    const RegionTable::Row& row = table.rows()[pass.row];
    text += fmt::format(R"({{"ph":"X",{},{},"ts":{:.3f},"dur":{:.3f},"args":{{"messages":{},"bytes":{}}}}},)"
                        "\n",
                        names[pass.row], place, (pass.start + shift) * kMicroseconds,
                        (lasts ? table.recording_seconds() - pass.start : pass.seconds) * kMicroseconds,
                        pass.messages + (lasts ? row.messages : 0), pass.bytes + (lasts ? row.bytes : 0));
  }
  return text;
}

std::string trace_end(std::int64_t left_out) {
  return fmt::format(R"({{"ph":"M","name":"passes_left_out","pid":0,"tid":0,"args":{{"count":{}}}}})"
                     "\n",
                     left_out);
}

}  // namespace tempera
