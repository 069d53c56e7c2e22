#include <algorithm>

#include "drivers/commands/plan/decompose_report.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const SentInSweep& sent) {
  return {{"messages", sent.total.messages},
          {"bytes", sent.total.bytes},
          {"messages_max", sent.heaviest.messages},
          {"bytes_max", sent.heaviest.bytes}};
}

Json json_of(const std::vector<ScalingPoint>& points) {
  Json rows = Json::array();
  for (const ScalingPoint& point : points)
    rows.push_back({{"ranks", point.ranks},
                    {"seconds_per_iteration", point.seconds},
                    {"speedup", point.speedup},
                    {"efficiency", point.efficiency},
                    {"memory_bytes_max", point.memory},
                    {"communication_share", point.share}});
  return rows;
}

Json sweep_json(const DecomposeEstimate& estimate) {
  Json sweep = json_of(estimate.sent);
  sweep["modes"] = Json::array();
  for (const SentInSweep& mode : estimate.modes) sweep["modes"].push_back(json_of(mode));
  sweep["regions"] = Json::array();
  for (const auto& [region, sent] : estimate.regions) {
    Json row = {{"region", region}};
    row.update(json_of(sent));
    sweep["regions"].push_back(row);
  }
  return sweep;
}

Json memory_json(const DecomposeEstimate& estimate) {
  return {{"bytes_max", estimate.memory.total()},     {"bytes_all", estimate.memory_all},
          {"bytes_node", node_memory(estimate)},      {"cells_bytes", estimate.memory.cells},
          {"rows_bytes", estimate.memory.rows},       {"fit_bytes", estimate.memory.fit},
          {"process_bytes", estimate.memory.process}, {"loading_bytes", estimate.memory.loading}};
}

}  // namespace

Json decompose_plan_json(const DecomposePlanTask& task, const PlannedTensor& tensor, const DecomposeEstimates&,
                         const DecomposePlanFacts& facts) {
  const DecomposeEstimate& estimate = facts.estimate;
  const PlannedLayout& layout = estimate.layout;
  Json json = {{"schema", 1},
               {"command", "plan"},
               {"engine", "decompose"},
               {"input", task.options.input},
               {"shape", tensor.shape()},
               {"nonzeros", static_cast<std::int64_t>(tensor.stored_cells())},
               {"dense", tensor.dense()},
               {"rank", task.options.rank},
               {"machine", task.machine},
               {"mpi_ranks", estimate.asked},
               {"active_ranks", layout.ranks},
               {"nodes", estimate.placement.nodes},
               {"ranks_per_node", std::min(layout.ranks, estimate.placement.ranks_per_node)},
               {"grid", layout.grid},
               {"balance", layout.balance()},
               {"cells_max", layout.cells[static_cast<std::size_t>(layout.fullest())]}};
  json["memory"] = memory_json(estimate);
  json["sweep"] = sweep_json(estimate);
  json["words_per_sweep"] = estimate.rows_sent * task.options.rank;
  json["seconds_per_iteration"] = estimate.time.total();
  json["compute_seconds"] = estimate.time.compute;
  json["communication_seconds"] = estimate.time.communication;
  json["communication_share"] = estimate.time.share();
  const bool bounded = facts.bound && *facts.bound > 0 && layout.ranks > 1;
  json["mttkrp_words_max"] = facts.moved;
  json["mttkrp_words_bound"] = bounded ? Json(*facts.bound) : Json();
  json["bound_ratio"] = bounded ? Json(facts.moved / *facts.bound) : Json();
  json["partitions"] = Json::array();
  for (const PartitionWords& one : facts.compared)
    json["partitions"].push_back({{"name", one.name}, {"words_per_sweep", one.words}, {"balance", one.balance}});
  json["strong_scaling"] = json_of(facts.strong);
  json["weak_scaling"] = json_of(facts.weak);
  json["best_ranks"] = facts.best_ranks;
  return json;
}

}  // namespace tempera::drivers
