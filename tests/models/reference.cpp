#include "tests/models/reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "core/base/contract.hpp"
#include "core/sampling/diagnostics.hpp"
#include "tests/support/data.hpp"

namespace tempera::test {

std::vector<ReferenceMoments> read_reference(std::string_view posterior, const std::filesystem::path& folder) {
  const auto summary = nlohmann::json::parse(read_text(folder / fmt::format("{}.summary.json", posterior)));
  std::vector<ReferenceMoments> reference;
  for (const std::string name : summary["parameter_order"]) {
    const auto& entry = summary["parameters"][name];
    const double sd = entry["sd"], excess = entry["excess_kurtosis"], ess = entry["ess"];
    reference.push_back({name, entry["mean"], sd, entry["mcse_mean"], sd * std::sqrt((excess + 2) / (4 * ess))});
  }
  return reference;
}

std::vector<std::vector<double>> read_reference_draws(std::string_view posterior, const std::filesystem::path& folder) {
  std::istringstream lines(read_text(folder / fmt::format("{}.draws1000.csv", posterior)));
  std::string line, cell;
  std::getline(lines, line);  // chain and names
  std::vector<std::vector<double>> draws;
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    std::getline(cells, cell, ',');  // chain
    draws.emplace_back();
    while (std::getline(cells, cell, ',')) draws.back().push_back(std::stod(cell));
  }
  if (draws.empty()) throw std::runtime_error("no reference draws of " + std::string(posterior));
  return draws;
}

std::vector<Comparison> compare_with_reference(std::span<const std::span<const double>> chains,
                                               std::span<const ReferenceMoments> reference) {
  std::vector<Comparison> comparisons;
  SummaryWorkspace workspace;
  std::vector<std::vector<double>> columns(chains.size());
  std::vector<std::span<const double>> views(chains.size());
  for (std::size_t j = 0; j < reference.size(); ++j) {
    for (std::size_t c = 0; c < chains.size(); ++c) {
      TEMPERA_EXPECTS(chains[c].size() % reference.size() == 0);
      columns[c].clear();
      for (std::size_t i = j; i < chains[c].size(); i += reference.size()) columns[c].push_back(chains[c][i]);
      views[c] = columns[c];
    }
    const ParameterSummary ours = summarise(views, workspace);
    const ReferenceMoments& theirs = reference[j];
    comparisons.push_back({theirs.name, ours.mean, ours.sd, theirs.mean, theirs.sd, ess_mean(views), ours.rhat,
                           (ours.mean - theirs.mean) / std::hypot(ours.mcse_mean, theirs.mcse_mean),
                           (ours.sd - theirs.sd) / std::hypot(ours.mcse_sd, theirs.mcse_sd)});
  }
  return comparisons;
}

std::vector<Comparison> compare_with_reference(const std::vector<std::vector<double>>& chains,
                                               std::span<const ReferenceMoments> reference) {
  const std::vector<std::span<const double>> views(chains.begin(), chains.end());
  return compare_with_reference(std::span(views), reference);
}

double largest_z(std::span<const Comparison> comparisons) {
  double largest = 0;
  for (const Comparison& one : comparisons) {
    for (const double z : {one.z_mean, one.z_sd}) {
      if (std::isnan(z)) return z;
      largest = std::max(largest, std::abs(z));
    }
  }
  return largest;
}

std::string comparison_table(std::string_view title, std::span<const Comparison> comparisons) {
  std::string text = fmt::format("{}\n{:>12} {:>12} {:>12} {:>7} {:>11} {:>11} {:>7} {:>8} {:>7}\n", title, "parameter",
                                 "mean", "reference", "z", "sd", "reference", "z", "ESS", "R-hat");
  for (const Comparison& one : comparisons)
    text +=
        fmt::format("{:>12} {:>12.6g} {:>12.6g} {:>7.2f} {:>11.5g} {:>11.5g} {:>7.2f} {:>8.0f} {:>7.4f}\n", one.name,
                    one.mean, one.reference_mean, one.z_mean, one.sd, one.reference_sd, one.z_sd, one.ess, one.rhat);
  return text;
}

}  // namespace tempera::test
