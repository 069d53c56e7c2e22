// Warm starts from runs of other tasks: regret after so many trials, medians over seeds, beside runs without. The tasks are
// a built-in objective and relatives of it, on the same space: itself; shifted by 7 % of the range and scaled; a monotone
// function of it; one with nothing in common; and its negative.
//
//   transfer_bench objectives=branin,hartmann6 at=10,20,40 seeds=15 budget=40 source=40 hyperparameters=bayes|map
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iostream>
#include <map>

#include "core/bayesopt/gp_proposer.hpp"
#include "core/bayesopt/objectives.hpp"
#include "tests/bench/bench.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

using Objective = std::function<double(const Point&)>;

std::vector<std::pair<std::string, Objective>> relatives(const TestObjective& objective) {
  const auto exact = [&objective](const Point& x) { return objective.exact(x); };
  const double optimum = objective.optimum();
  return {{"itself", exact},
          {"shifted",
           [exact](Point x) {
             for (double& entry : x) entry = std::clamp(entry + 0.07, 0.0, 1.0);
             return 3 * exact(x) + 10;
           }},
          {"monotone", [exact, optimum](const Point& x) { return std::pow(exact(x) - optimum, 0.3); }},
          {"unrelated",
           [](const Point& x) {
             double sum = 0;
             for (std::size_t i = 0; i < x.size(); ++i)
               sum += std::sin(5 * x[i] + static_cast<double>(i)) * std::cos(3 * x[(i + 1) % x.size()]);
             return sum;
           }},
          {"negative", [exact](const Point& x) { return -exact(x); }}};
}

std::vector<Trial> run(const Space& space, const GpProposerOptions& options, const Objective& objective, Index budget) {
  GpProposer proposer(space, options);
  std::vector<Trial> trials;
  for (Index number = 0; number < budget; ++number) {
    const Proposal proposal = proposer.propose(number, trials, {});
    TrialResult result;
    result.value = objective(proposal.point);
    trials.push_back({number, proposal.point, result});
  }
  return trials;
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(argc, argv,
                          {{"objectives", "branin,hartmann6"},
                           {"at", "10,20,40"},
                           {"budget", "40"},
                           {"source", "40"},
                           {"seeds", "3"},
                           {"first", "0"},
                           {"hyperparameters", "map"}});
  nlohmann::ordered_json lines = nlohmann::ordered_json::array();
  for (const std::string& name : settings.texts("objectives")) {
    const TestObjective objective(name);
    std::map<std::string, std::map<Index, std::vector<double>>> regrets;
    std::vector<std::string> order{"none"};
    for (Index k = 0; k < settings.integer("seeds"); ++k) {
      GpProposerOptions options;
      if (settings.text("hyperparameters") == "map") options.model.hyperparameters.method = HyperMethod::map;
      options.seed = static_cast<std::uint64_t>(settings.integer("first") + k);
      const auto note = [&](const std::string& method, const GpProposerOptions& own) {
        const auto exact = [&](const Point& x) { return objective.exact(x); };
        const std::vector<Trial> trials = run(objective.space(), own, exact, settings.integer("budget"));
        double least = INFINITY;
        for (std::size_t i = 0; i < trials.size(); ++i) {
          least = std::min(least, trials[i].result.value);
          for (const Index at : settings.integers("at"))
            if (at == static_cast<Index>(i) + 1) regrets[method][at].push_back(least - objective.optimum());
        }
      };
      note("none", options);
      for (const auto& [relative, function] : relatives(objective)) {
        GpProposerOptions source = options, warm = options;
        source.seed += 1000;
        warm.sources = {{relative, false, run(objective.space(), source, function, settings.integer("source"))}};
        note(relative, warm);
        if (k == 0) order.push_back(relative);
      }
    }
    for (const std::string& method : order) {
      std::string line = fmt::format("{:12} {:10}", name, method);
      nlohmann::ordered_json record = {{"objective", name}, {"source", method}};
      for (const auto& [at, values] : regrets.at(method)) {
        line += fmt::format("  {:4}: {:.3g}", at, median(values));
        record["regret"][std::to_string(at)] = values;
      }
      std::cout << line << std::endl;
      lines.push_back(record);
    }
  }
  std::cout << nlohmann::ordered_json{{"bench", "transfer"}, {"settings", settings.all()}, {"lines", lines}}.dump()
            << '\n';
  return 0;
}
