// Objectives whose values fall towards a part of the space where all trials crash, so that the best point that does not lies
// on its edge: how many trials of the second half crash, and how far the best is from that point; means over seeds.
//
//   crash_bench budget=60 seeds=15 hyperparameters=bayes|map
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iostream>

#include "core/bayesopt/gp_proposer.hpp"
#include "tests/bench/bench.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

struct Task {
  std::string name;
  Index dimension;
  std::function<bool(const Point&)> crashes;
  std::function<double(const Point&)> value;
  double best;  ///< at a point that does not crash
};

std::vector<Task> tasks() {
  const auto wave = [](const Point& x) { return std::sin(8 * x[1]) + std::sin(10 * x[0] - 3) + 2 * x[0]; };
  double wave_best = INFINITY;
  for (double a = 0.5; a <= 1; a += 1e-5) wave_best = std::min(wave_best, std::sin(10 * a - 3) + 2 * a - 1);
  return {{"half", 2, [](const Point& x) { return x[0] < 0.5; },
           [](const Point& x) { return x[0] + std::pow(x[1] - 0.3, 2); }, 0.5},
          {"wave", 2, [](const Point& x) { return x[0] < 0.5; }, wave, wave_best},
          {"slant", 3, [](const Point& x) { return x[0] + x[1] + x[2] > 1.2; },
           [](const Point& x) { return -(x[0] + x[1] + x[2]) + std::pow(x[0] - x[1], 2) + std::pow(x[1] - x[2], 2); },
           -1.2},
          {"ball", 2, [](const Point& x) { return std::hypot(x[0] - 0.4, x[1] - 0.6) < 0.3; },
           [](const Point& x) { return std::hypot(x[0] - 0.45, x[1] - 0.55); }, 0.3 - std::hypot(0.05, 0.05)}};
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(argc, argv, {{"budget", "60"}, {"seeds", "5"}, {"first", "0"}, {"hyperparameters", "map"}});
  nlohmann::ordered_json lines = nlohmann::ordered_json::array();
  const Index budget = settings.integer("budget");
  for (const Task& task : tasks()) {
    std::vector<Parameter> parameters(static_cast<std::size_t>(task.dimension));
    for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i].name = fmt::format("x{}", i);
    const Space space(parameters);
    std::vector<double> late, regrets;
    const double begin = seconds_now();
    for (Index k = 0; k < settings.integer("seeds"); ++k) {
      GpProposerOptions options;
      if (settings.text("hyperparameters") == "map") options.model.hyperparameters.method = HyperMethod::map;
      options.seed = static_cast<std::uint64_t>(settings.integer("first") + k);
      GpProposer proposer(space, options);
      std::vector<Trial> trials;
      double least = INFINITY, crashes = 0;
      for (Index number = 0; number < budget; ++number) {
        const Point point = proposer.propose(number, trials, {}).point;
        TrialResult result;
        if (task.crashes(point)) {
          result.status = TrialStatus::crashed;
          crashes += 2 * number >= budget ? 1 : 0;
        } else {
          result.value = task.value(point);
          least = std::min(least, result.value);
        }
        trials.push_back({number, point, result});
      }
      late.push_back(crashes);
      regrets.push_back(least - task.best);
    }
    double mean = 0;
    for (const double crashes : late) mean += crashes / static_cast<double>(late.size());
    std::vector<double> sorted = regrets;
    std::sort(sorted.begin(), sorted.end());
    std::cout << fmt::format("{:8} crashes in the last {}: {:5.2f}  median regret {:.2e}  {:.2f} s a run", task.name,
                             budget - budget / 2, mean, sorted[sorted.size() / 2],
                             (seconds_now() - begin) / settings.number("seeds"))
              << std::endl;
    lines.push_back({{"task", task.name}, {"late_crashes", late}, {"regret", regrets}});
  }
  std::cout << nlohmann::ordered_json{{"bench", "crash"}, {"settings", settings.all()}, {"lines", lines}}.dump()
            << '\n';
  return 0;
}
