#include "drivers/commands/decompose_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/base/text.hpp"
#include "core/tensor/sparse_tensor.hpp"
#include "drivers/commands/decompose_health.hpp"

namespace tempera::drivers {

namespace {

constexpr int kShownComponents = 10;

/// Most words that one rank sends over the mean of the active ranks.
double words_balance(const DecomposeFacts& facts) {
  if (facts.exchanged.total == 0) return 1;
  return static_cast<double>(facts.exchanged.most) * facts.active_ranks / static_cast<double>(facts.exchanged.total);
}

std::string stop_text(const CpResult& result) {
  switch (result.stopped) {
    case StopReason::tolerance: return "converged";
    case StopReason::iterations: return "stopped at the limit of sweeps";
    case StopReason::requested: return "stopped on request";
  }
  return "";
}

/// The fit with the digits it has: a fit that is close to 1 shows its distance from 1.
std::string fit_text(const CpResult& result) {
  if (result.relative_error == 0 && result.fit_resolution > 0)
    return fmt::format("1 (to within rounding, {:.1g})", result.fit_resolution);
  if (result.relative_error == 0) return "1";
  if (result.relative_error < 1e-4) return fmt::format("1 - {:.3g}", result.relative_error);
  return fmt::format("{:.6f}", result.fit);
}

std::string starts_text(const CpResult& result) {
  const bool counts = result.restart_deviances.size() > 1;
  const std::vector<double>& all = counts ? result.restart_deviances : result.restart_fits;
  if (all.size() < 2) return "";
  const auto [least, most] = std::minmax_element(all.begin(), all.end());
  const std::string range = counts ? fmt::format("deviances {:.6g} to {:.6g}", *least, *most)
                                   : fmt::format("fits {:.6f} to {:.6f}", *least, *most);
  const std::string groups =
      result.start_groups > 1 ? fmt::format(" on {} groups of MPI ranks", result.start_groups) : "";
  return fmt::format(" (best of {} starts{}: {})", all.size(), groups, range);
}

std::string label_of(const DecomposeOptions& options, const DecomposeFacts& facts, std::size_t mode, Index row) {
  if (facts.labels && !(*facts.labels)[mode].labels.empty()) {
    const std::string& label = (*facts.labels)[mode].labels[static_cast<std::size_t>(row)];
    return label == " " ? "␣" : label;  // a blank would not be seen
  }
  return std::to_string(row + options.index_base);
}

std::string mode_name(const DecomposeFacts& facts, std::size_t mode) {
  if (facts.labels && !(*facts.labels)[mode].name.empty()) return (*facts.labels)[mode].name;
  return fmt::format("mode {}", mode);
}

std::string loss_name(const DecomposeOptions& options) {
  return options.loss == "poisson" ? "deviance" : "squared error";
}

bool unobserved(const DecomposeOptions& options) {
  return options.missing == "unobserved";
}

nlohmann::ordered_json holdout_json(const DecomposeOptions& options, const CpResult& result,
                                    const DecomposeFacts& facts) {
  if (!result.holdout) return nullptr;
  nlohmann::ordered_json json;
  json["share"] = options.holdout;
  json["loss"] = loss_name(options);
  json["mean"] = result.holdout->mean;
  json[options.loss == "poisson" ? "deviance" : "squared_error"] = result.holdout->mean;  // under its own name too
  json["standard_error"] = result.holdout->standard_error;
  json["returned"] = facts.returned;
  json["strata"] = nlohmann::ordered_json::array();
  for (const StratumScore& part : result.holdout->strata)
    json["strata"].push_back({{"name", part.name},
                              {"held", part.held},
                              {"cells", part.cells},
                              {"mean", part.mean},
                              {"standard_error", part.standard_error}});
  return json;
}

std::string components_text(const DecomposeOptions& options, const CpResult& result, const DecomposeFacts& facts) {
  const std::size_t order = facts.shape.size();
  const auto shown = static_cast<std::size_t>(
      options.common.verbose ? result.weights.size() : std::min<std::size_t>(result.weights.size(), kShownComponents));
  std::vector<std::vector<std::string>> table{{"component", result.deviance ? "counts" : "weight"}};
  for (std::size_t mode = 0; mode < order; ++mode) table.front().push_back(mode_name(facts, mode));
  for (std::size_t r = 0; r < shown; ++r) {
    std::vector<std::string> line{
        std::to_string(r + 1), fmt::format("{:.4g}", result.deviance ? result.component_totals[r] : result.weights[r])};
    for (std::size_t mode = 0; mode < order; ++mode) {
      std::vector<std::string> entries;
      for (const TopEntry& entry : facts.top[mode][r])
        entries.push_back(fmt::format("{} {:.2f}", label_of(options, facts, mode, entry.row), entry.value));
      line.push_back(fmt::format("{}", fmt::join(entries, ", ")));
    }
    table.push_back(std::move(line));
  }
  std::string text = text_table(table, TableColumns::left);
  if (shown < result.weights.size())
    text += fmt::format("  … and {} more (--verbose shows all)\n", result.weights.size() - shown);
  return text;
}

}  // namespace

nlohmann::ordered_json decompose_summary(const DecomposeOptions& options, const CpResult& result,
                                         const DecomposeFacts& facts) {
  nlohmann::ordered_json summary;
  summary["schema"] = 1;
  summary["command"] = "decompose";
  summary["method"] = options.method;
  summary["rank"] = options.rank;
  summary["loss"] = options.loss;
  summary["constraints"] = options.constraints;
  summary["solver"] = options.solver;
  summary["extrapolation"] = options.extrapolation;
  summary["damping"] = options.damping;
  summary["objective"] = result.objective;
  summary["fit"] = result.fit;
  summary["relative_error"] = result.relative_error;
  summary["fit_resolution"] = result.fit_resolution;
  summary["deviance"] = result.deviance ? nlohmann::ordered_json(*result.deviance) : nullptr;
  summary["holdout"] = holdout_json(options, result, facts);
  summary["iterations"] = result.iterations;
  summary["converged"] = result.converged;
  summary["stopped"] = stop_text(result);
  summary["restart_fits"] = result.restart_fits;
  if (result.deviance) {
    summary["kkt_violation"] = result.kkt_violation;
    summary["restart_deviances"] = result.restart_deviances;
    summary["component_totals"] = result.component_totals;
  }
  summary["best_restart"] = result.best_restart;
  summary["init"] = options.init;
  summary["start_groups"] = result.start_groups;
  summary["seconds"] = facts.seconds;
  summary["seconds_per_iteration"] = facts.seconds / std::max(1, facts.total_iterations);
  summary["load_seconds"] = facts.load_seconds;
  summary["shape"] = facts.shape;
  summary["nonzeros"] = facts.nonzeros;
  summary["duplicates"] = facts.duplicates;
  summary["missing"] = options.missing;
  summary["observed_cells"] = unobserved(options) ? nlohmann::ordered_json(facts.observed_cells) : nullptr;
  summary["weights"] = result.weights;
  summary["dead_components"] = result.dead_components;
  summary["mpi_ranks"] = facts.mpi_ranks;
  summary["active_ranks"] = facts.active_ranks;
  summary["grid"] = facts.grid;
  summary["storage"] = facts.storage;
  summary["balance"] = facts.balance;
  // Groups of ranks hold the tensor in other ways than the one these figures are about.
  using Json = nlohmann::ordered_json;
  const bool one_group = result.start_groups == 1;
  summary["words_per_sweep"] = one_group ? Json(facts.exchanged.total * options.rank) : Json();
  summary["words_if_dense"] = one_group ? Json(facts.exchanged.if_dense * options.rank) : Json();
  summary["words_balance"] = one_group ? Json(words_balance(facts)) : Json();
  summary["memory_growth_bytes_max"] = facts.memory_bytes_max;
  summary["health"] = health_json(options, result, facts);
  summary["advice"] = health_advice(options, result, facts);
  summary["notes"] = result.notes;
  summary["regions"] = region_table_json(facts.regions, options.common.profile);
  return summary;
}

std::string decompose_text(const DecomposeOptions& options, const CpResult& result, const DecomposeFacts& facts,
                           const std::string& run_folder) {
  std::string text = fmt::format("CP decomposition of {}\n", options.input);
  const auto line = [&](const char* title, const std::string& content) {
    text += fmt::format("  {:10}{}\n", title, content);
  };
  line("tensor",
       fmt::format("{}, {} {} ({:.3g} % of the cells)", fmt::join(facts.shape, " x "), human_count(facts.nonzeros),
                   !facts.sparse         ? "cells"
                   : unobserved(options) ? "stored cells"
                                         : "nonzeros",
                   100.0 * static_cast<double>(facts.nonzeros) / cell_count(facts.shape)));
  if (unobserved(options))
    line("missing", fmt::format("absent entries are not observed: the fit is over {} observed cells of {:.0f} "
                                "(--missing unobserved)",
                                facts.observed_cells, cell_count(facts.shape)));
  else if (facts.sparse)
    line("missing", "absent entries are zeros (--missing zero)");
  if (facts.duplicates > 0)
    line("note", facts.duplicates == 1
                     ? std::string("1 entry with repeated coordinates was added to another")
                     : human_count(facts.duplicates) + " entries with repeated coordinates were added to others");
  line("model", fmt::format("rank {}, {} loss, {}", options.rank, options.loss,
                            options.loss == "poisson"     ? "nonnegative"
                            : options.constraints.empty() ? "unconstrained"
                                                          : fmt::format("{}", fmt::join(options.constraints, " "))));
  line("ranks", fmt::format("{} MPI rank{}, grid {}, {}, heaviest rank {:.2f} x the mean", facts.mpi_ranks,
                            facts.mpi_ranks == 1 ? "" : "s", fmt::join(facts.grid, "x"), facts.storage, facts.balance));
  if (facts.active_ranks > 1 && result.start_groups == 1)
    line("exchange", fmt::format("{} words of factor rows a sweep ({:.3g} % of exchanging all), heaviest rank {:.2f} x "
                                 "the mean",
                                 human_count(facts.exchanged.total * options.rank),
                                 facts.exchanged.if_dense == 0 ? 100.0
                                                               : 100.0 * static_cast<double>(facts.exchanged.total) /
                                                                     static_cast<double>(facts.exchanged.if_dense),
                                 words_balance(facts)));
  if (facts.active_ranks < facts.mpi_ranks)
    line("note", fmt::format("{} MPI ranks hold no data: the sizes allow no grid of {}",
                             facts.mpi_ranks - facts.active_ranks, facts.mpi_ranks));
  line("fit", fmt::format("{}  (1 - relative error {:.6g})", fit_text(result), result.relative_error));
  if (result.deviance)
    line("deviance", fmt::format("{:.10g}  (largest violation of the KKT conditions {:.1e})", *result.deviance,
                                 result.kkt_violation));
  if (result.holdout) {
    const HoldoutScore& score = *result.holdout;
    std::string strata;
    for (const StratumScore& part : score.strata)
      strata += fmt::format("{}{} {} {:.4g}", strata.empty() ? "" : ", ", human_count(part.held), part.name, part.mean);
    line("holdout", fmt::format("{} of a cell {:.5g}{}  ({})", loss_name(options), score.mean,
                                std::isfinite(score.standard_error) ? fmt::format(" +- {:.2g}", score.standard_error)
                                                                    : ", too few cells for its error",
                                strata));
  }
  if (facts.returned > 0)
    line("note",
         fmt::format("drawn for --holdout but left in the fit, as a slice holds no others: {} {} (first slice: {} "
                     "of {})",
                     human_count(facts.returned), facts.returned == 1 ? "entry" : "entries",
                     label_of(options, facts, facts.returned_mode, facts.returned_index),
                     mode_name(facts, facts.returned_mode)));
  line("sweeps", fmt::format("{}, {}{}", result.iterations, stop_text(result), starts_text(result)));
  line("time", fmt::format("{} for the sweeps ({} each), {} for reading", human_duration(facts.seconds),
                           human_duration(facts.seconds / std::max(1, facts.total_iterations)),
                           human_duration(facts.load_seconds)));
  line("memory", fmt::format("{} on the fullest MPI rank", human_bytes(static_cast<double>(facts.memory_bytes_max))));
  for (const std::string& note : result.notes) line("note", note);
  for (const std::string& advice : health_advice(options, result, facts)) line("advice", advice);
  text += "\n" + components_text(options, result, facts);
  if (options.common.profile) text += "\n" + region_table_text(facts.regions);
  text += fmt::format("\nrun folder: {}\n", run_folder);
  return text;
}

}  // namespace tempera::drivers
