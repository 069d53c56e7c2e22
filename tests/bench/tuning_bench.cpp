// Tuning a GPU kernel whose whole space was measured (data of `gpu-autotune`): best time over the optimum, medians over
// seeds, without a warm start, with one from the run on each other device, and by random search without replacement.
// Beside a warm start stands what its source can tell at best without being asked twice: the configurations of that run
// again, its best first ("again"). Failing configurations count as trials.
//
//   tuning_bench devices=A100,A4000,MI250X at=50,100,200 seeds=15 budget=100 warm=50 hyperparameters=bayes|map
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>

#include "core/base/text.hpp"
#include "core/bayesopt/gp_proposer.hpp"
#include "tests/bench/bench.hpp"
#include "tests/support/data.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

constexpr std::size_t kParameters = 7;

Space tuning_space() {
  std::vector<Parameter> parameters(kParameters);
  const char* names[] = {"block_size_x", "block_size_y", "tile_size_x", "tile_size_y",
                         "read_only",    "use_padding",  "use_shmem"};
  for (std::size_t i = 0; i < kParameters; ++i) parameters[i].name = names[i];
  parameters[0].type = parameters[1].type = ParameterType::ordinal;
  for (int size = 16; size <= 256; size += 16) parameters[0].choices.push_back(size);
  for (int size = 1; size <= 16; size *= 2) parameters[1].choices.push_back(size);
  for (const std::size_t i : {2, 3}) {
    parameters[i].type = ParameterType::integer;
    parameters[i].low = 1;
    parameters[i].high = 4;
  }
  for (const std::size_t i : {4, 5, 6}) parameters[i].type = ParameterType::boolean;
  parameters[5].when = {"use_shmem", {true}};
  return Space(parameters);
}

/// One table: what each configuration gave.
struct Table {
  Space space = tuning_space();
  using Results = std::map<std::vector<int>, TrialResult>;
  std::shared_ptr<Results> results = std::make_shared<Results>();
  double optimum = INFINITY;

  static std::vector<int> key(std::span<const double> point) {
    std::vector<int> cells;
    for (const double entry : point) cells.push_back(std::isnan(entry) ? 0 : static_cast<int>(entry));
    return cells;
  }
};

Table read_table(const std::filesystem::path& file) {
  Table table;
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::vector<std::string> fields;
    for (const std::string_view field : split(line, ',')) fields.emplace_back(field);
    nlohmann::json values;
    for (std::size_t i = 0; i < kParameters; ++i) {
      const int value = std::stoi(fields[i]);
      if (i == 5 && fields[6] == "0") continue;
      values[table.space.parameters()[i].name] = i < 4 ? nlohmann::json(value) : nlohmann::json(value == 1);
    }
    TrialResult result;
    if (fields[7] == "ok") {
      result.value = std::stod(fields[8]);
      table.optimum = std::min(table.optimum, result.value);
    } else {
      result.status = TrialStatus::failed;
    }
    (*table.results)[Table::key(table.space.from_json(values))] = result;
  }
  table.space.restrict([results = table.results](auto point) { return results->contains(Table::key(point)); });
  return table;
}

std::vector<Trial> optimize(const Table& table, const GpProposerOptions& options, Index budget) {
  GpProposer proposer(table.space, options);
  std::vector<Trial> trials;
  for (Index number = 0; number < budget; ++number) {
    const Proposal proposal = proposer.propose(number, trials, {});
    trials.push_back({number, proposal.point, table.results->at(Table::key(proposal.point))});
  }
  return trials;
}

/// The trials of another device's run once more on this one, its best first, the failed ones last.
std::vector<Trial> again(const Table& table, std::vector<Trial> run) {
  std::stable_sort(run.begin(), run.end(), [](const Trial& a, const Trial& b) {
    const auto place = [](const Trial& trial) {
      return trial.result.status == TrialStatus::ok ? trial.result.value : INFINITY;
    };
    return place(a) < place(b);
  });
  for (Trial& trial : run) trial.result = table.results->at(Table::key(trial.point));
  return run;
}

/// The best over the optimum after each trial.
std::vector<double> progress(const Table& table, const std::vector<Trial>& trials) {
  std::vector<double> best;
  double least = INFINITY;
  for (const Trial& trial : trials) {
    if (trial.result.status == TrialStatus::ok) least = std::min(least, trial.result.value);
    best.push_back(least / table.optimum);
  }
  return best;
}

std::vector<double> random_search(const Table& table, std::uint64_t seed) {
  std::vector<TrialResult> all;
  for (const auto& [key, result] : *table.results) all.push_back(result);
  RandomStream stream(seed, "tuning-random");
  std::vector<double> best;
  double least = INFINITY;
  for (const Index i : stream.permutation(std::ssize(all))) {
    const TrialResult& result = all[static_cast<std::size_t>(i)];
    if (result.status == TrialStatus::ok) least = std::min(least, result.value);
    best.push_back(least / table.optimum);
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(argc, argv,
                          {{"devices", "A100,A4000,MI250X"},
                           {"at", "50,100,200"},
                           {"budget", "100"},
                           {"seeds", "3"},
                           {"warm", "50"},
                           {"first", "0"},
                           {"length-sd", "1.4"},
                           {"hyperparameters", "map"}});
  const std::filesystem::path folder = test::data_file("gpu-autotune");
  if (folder.empty()) {
    std::cout << "skipped: no data\n";
    return 0;
  }
  nlohmann::ordered_json lines = nlohmann::ordered_json::array();
  GpProposerOptions options;
  if (settings.text("hyperparameters") == "map") options.model.hyperparameters.method = HyperMethod::map;
  options.model.priors.length_scale.sd = std::stod(settings.text("length-sd"));
  std::map<std::string, Table> tables;
  std::map<std::string, std::vector<std::vector<Trial>>> runs;  // without a warm start, by device and seed
  const auto options_of = [&](Index k) {
    GpProposerOptions own = options;
    own.seed = static_cast<std::uint64_t>(settings.integer("first") + k);
    return own;
  };
  for (const std::string& device : settings.texts("devices"))
    tables.emplace(device, read_table(folder / ("convolution_" + device + ".csv")));
  if (settings.integer("warm") > 0)
    for (const auto& [device, table] : tables)
      for (Index k = 0; k < settings.integer("seeds"); ++k)
        runs[device].push_back(optimize(table, options_of(k), settings.integer("budget")));
  for (const std::string& device : settings.texts("devices")) {
    const Table& table = tables.at(device);
    std::map<std::string, std::map<Index, std::vector<double>>> found;
    const double start = seconds_now();
    for (Index k = 0; k < settings.integer("seeds"); ++k) {
      const auto note = [&](const std::string& method, const std::vector<double>& best) {
        for (const Index at : settings.integers("at"))
          if (at <= std::ssize(best)) found[method][at].push_back(best[static_cast<std::size_t>(at - 1)]);
      };
      const GpProposerOptions own = options_of(k);
      note("random", random_search(table, own.seed));
      if (settings.integer("warm") == 0)
        note("model", progress(table, optimize(table, own, settings.integer("budget"))));
      else
        note("model", progress(table, runs.at(device)[static_cast<std::size_t>(k)]));
      if (settings.integer("warm") == 0) continue;
      for (const auto& [other, of_seeds] : runs) {
        if (other == device) continue;
        GpProposerOptions warm = own;
        // Of another seed: or the two designs would be the same points.
        warm.seed += 1000;
        warm.sources = {{other, false, of_seeds[static_cast<std::size_t>(k)]}};
        note("from " + other, progress(table, optimize(table, warm, settings.integer("warm"))));
        note("again " + other, progress(table, again(table, of_seeds[static_cast<std::size_t>(k)])));
      }
    }
    for (const auto& [method, by_trials] : found) {
      std::string line = fmt::format("{:8} {:12}", device, method);
      nlohmann::ordered_json record = {{"device", device}, {"method", method}};
      for (const auto& [at, values] : by_trials) {
        line += fmt::format("  {:4}: {:.3f}", at, median(values));
        record["best_over_optimum"][std::to_string(at)] = values;
      }
      std::cout << line << std::endl;
      lines.push_back(record);
    }
    std::cout << fmt::format("{:.1f} s a run", (seconds_now() - start) / settings.number("seeds")) << std::endl;
  }
  std::cout << nlohmann::ordered_json{{"bench", "tuning"}, {"settings", settings.all()}, {"lines", lines}}.dump()
            << '\n';
  return 0;
}
