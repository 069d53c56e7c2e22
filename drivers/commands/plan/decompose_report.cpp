#include "drivers/commands/plan/decompose_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/text.hpp"
#include "core/tensor/sparse_tensor.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

std::string bytes_text(std::int64_t bytes) {
  return human_bytes(static_cast<double>(bytes));
}

Json json_of(const SentInSweep& sent) {
  return {{"messages", sent.total.messages},
          {"bytes", sent.total.bytes},
          {"messages_max", sent.heaviest.messages},
          {"bytes_max", sent.heaviest.bytes}};
}

std::string model_text(const DecomposeOptions& options) {
  return fmt::format("rank {}, {} loss, {}", options.rank, options.loss,
                     options.loss == "poisson"     ? "nonnegative"
                     : options.constraints.empty() ? "unconstrained"
                                                   : fmt::format("{}", fmt::join(options.constraints, " ")));
}

double node_memory(const DecomposeEstimate& estimate) {
  return estimate.memory.total() * std::min(estimate.layout.ranks, estimate.placement.ranks_per_node);
}

std::string summary_text(const DecomposeOptions& options, const std::string& machine_name, const PlannedTensor& tensor,
                         const DecomposeEstimates& estimates, const DecomposeEstimate& estimate) {
  const PlannedLayout& layout = estimate.layout;
  std::string text = fmt::format("Plan of a CP decomposition of {} on {} MPI rank{}\n", options.input, estimate.asked,
                                 estimate.asked == 1 ? "" : "s");
  const auto line = [&](const char* title, const std::string& content) {
    text += fmt::format("  {:10}{}\n", title, content);
  };
  line("tensor", fmt::format("{}, {} {} ({:.3g} % of the cells)", fmt::join(tensor.shape(), " x "),
                             human_count(static_cast<std::int64_t>(tensor.stored_cells())),
                             tensor.dense()           ? "cells"
                             : tensor.only_observed() ? "stored cells"
                                                      : "nonzeros",
                             100 * tensor.stored_cells() / cell_count(tensor.shape())));
  line("model", model_text(options));
  line("machine", machine_name);
  line("nodes",
       fmt::format("{} of {} cores, {} rank{} on each, {} thread{} a rank", estimate.placement.nodes,
                   estimates.machine().cores_per_node, std::min(layout.ranks, estimate.placement.ranks_per_node),
                   estimate.placement.ranks_per_node == 1 ? "" : "s", estimates.threads(),
                   estimates.threads() == 1 ? "" : "s"));
  line("grid", fmt::format("{}, heaviest rank {:.2f} x the mean ({} {})", fmt::join(layout.grid, "x"), layout.balance(),
                           human_count(layout.cells[static_cast<std::size_t>(layout.fullest())]),
                           tensor.dense() ? "cells" : "nonzeros"));
  const RankMemory& memory = estimate.memory;
  line("memory",
       fmt::format("{} on the fullest rank, {} in all", human_bytes(memory.total()), human_bytes(estimate.memory_all)));
  line("", fmt::format("cells {}, rows {}, fit {}; up to {} while reading", human_bytes(memory.cells),
                       human_bytes(memory.rows), human_bytes(memory.fit), human_bytes(memory.loading)));
  line("", fmt::format("{} of the {} of a node", human_bytes(node_memory(estimate)),
                       human_bytes(estimates.machine().memory_per_node)));
  line("a sweep", fmt::format("{}: {} computing, {} communicating ({:.0f} %)", human_duration(estimate.time.total()),
                              human_duration(estimate.time.compute), human_duration(estimate.time.communication),
                              100 * estimate.time.share()));
  return text;
}

std::string traffic_text(const DecomposeEstimate& estimate) {
  std::vector<std::vector<std::string>> table{{"sent in a sweep", "messages", "bytes", "of one rank", "bytes"}};
  const auto row = [&](const std::string& name, const SentInSweep& sent) {
    table.push_back({name, human_count(sent.total.messages), bytes_text(sent.total.bytes),
                     human_count(sent.heaviest.messages), bytes_text(sent.heaviest.bytes)});
  };
  for (std::size_t mode = 0; mode < estimate.modes.size(); ++mode)
    row(fmt::format("rows of mode {}", mode), estimate.modes[mode]);
  for (const auto& [region, sent] : estimate.regions)
    if (!region.ends_with(" rows")) row(region == "sweep" ? "agreements" : region.substr(6), sent);
  row("all", estimate.sent);
  return "\n" + text_table(table, TableColumns::right);
}

Json json_of(const DecomposeEstimate& estimate) {
  Json json;
  const PlannedLayout& layout = estimate.layout;
  json["active_ranks"] = layout.ranks;
  json["grid"] = layout.grid;
  json["balance"] = layout.balance();
  json["nonzeros_max"] = layout.cells[static_cast<std::size_t>(layout.fullest())];
  json["memory"] = {{"bytes_max", estimate.memory.total()},    {"bytes_all", estimate.memory_all},
                    {"bytes_node", node_memory(estimate)},     {"cells_bytes", estimate.memory.cells},
                    {"rows_bytes", estimate.memory.rows},      {"fit_bytes", estimate.memory.fit},
                    {"loading_bytes", estimate.memory.loading}};
  json["sweep"] = json_of(estimate.sent);
  for (const SentInSweep& mode : estimate.modes) json["sweep"]["modes"].push_back(json_of(mode));
  for (const auto& [region, sent] : estimate.regions) {
    Json of_region = json_of(sent);
    of_region["region"] = region;
    json["sweep"]["regions"].push_back(of_region);
  }
  json["nodes"] = estimate.placement.nodes;
  json["ranks_per_node"] = estimate.placement.ranks_per_node;
  json["seconds_per_iteration"] = estimate.time.total();
  json["compute_seconds"] = estimate.time.compute;
  json["communication_seconds"] = estimate.time.communication;
  json["communication_share"] = estimate.time.share();
  return json;
}

}  // namespace

Plan decompose_plan(const DecomposeOptions& options, const PlanOptions& plan_options, const std::string& machine_name,
                    const PlannedTensor& tensor, DecomposeEstimates& estimates, const std::vector<int>& grid) {
  const DecomposeEstimate estimate = estimates.exact(plan_options.ranks, grid);
  Plan plan;
  plan.text = summary_text(options, machine_name, tensor, estimates, estimate) + traffic_text(estimate);
  plan.json = {{"schema", 1},
               {"command", "plan"},
               {"engine", "decompose"},
               {"input", options.input},
               {"ranks", estimate.asked},
               {"machine", machine_name},
               {"shape", tensor.shape()},
               {"nonzeros", tensor.stored_cells()},
               {"dense", tensor.dense()},
               {"rank", options.rank}};
  plan.json.update(json_of(estimate));
  if (estimate.layout.ranks < estimate.asked)
    plan.warnings.push_back(fmt::format("{} of {} MPI ranks would hold no data: the sizes allow no grid of {}",
                                        estimate.asked - estimate.layout.ranks, estimate.asked, estimate.asked));
  if (node_memory(estimate) > estimates.machine().memory_per_node)
    plan.warnings.push_back(
        fmt::format("the ranks of a node need {}, it has {}: take more nodes or fewer ranks on each",
                    human_bytes(node_memory(estimate)), human_bytes(estimates.machine().memory_per_node)));
  if (estimate.time.share() > 0.5)
    plan.warnings.push_back(
        fmt::format("communication dominates: {:.0f} % of the time of a sweep", 100 * estimate.time.share()));
  return plan;
}

}  // namespace tempera::drivers
