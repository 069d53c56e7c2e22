// Regret of Bayesian optimisation on test functions: after so many trials, the true value at the trial with the least
// observed one, above the optimum; medians over seeds. Trials one after the other on one process.
//
//   regret_bench problems=branin,levy:dim=4,branin:noise=1 at=40,60,100 seeds=15 first=0 hyperparameters=bayes|map
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include "core/bayesopt/gp_proposer.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/test_problem.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

constexpr const char* kProblems =
    "branin,hartmann3,hartmann6,six-hump-camel,goldstein-price,ackley:dim=5,levy:dim=4,rosenbrock:dim=4,"
    "styblinski-tang:dim=4";

struct Run {
  std::vector<double> regrets;  ///< after each trial
  double seconds = 0;
};

Run optimize(const TestObjective& objective, const GpProposerOptions& options, Index budget) {
  GpProposer proposer(objective.space(), options);
  std::vector<Trial> trials;
  Run run;
  double least = INFINITY, regret = INFINITY;
  const double start = seconds_now();
  for (Index number = 0; number < budget; ++number) {
    const Proposal proposal = proposer.propose(number, trials, {});
    Trial trial{number, proposal.point, {}};
    trial.result.value = objective.evaluate(trial.point, options.seed, number);
    if (trial.result.value < least) {
      least = trial.result.value;
      regret = objective.exact(trial.point) - objective.optimum();
    }
    trials.push_back(std::move(trial));
    run.regrets.push_back(regret);
  }
  run.seconds = seconds_now() - start;
  return run;
}

GpProposerOptions options_of(const Settings& settings) {
  GpProposerOptions options;
  options.acquisition = AcquisitionRule::parse(settings.text("acquisition"));
  if (settings.text("kernel") != "auto") options.model.kernels = {kernel_shape(settings.text("kernel"))};
  options.model.priors.length_scale.sd = std::stod(settings.text("length-sd"));
  options.model.warp = settings.text("warp") == "yes";
  const std::string& method = settings.text("hyperparameters");
  options.model.hyperparameters.method = method == "map"   ? HyperMethod::map
                                         : method == "mle" ? HyperMethod::mle
                                                           : HyperMethod::bayes;
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(argc, argv,
                          {{"problems", kProblems},
                           {"at", "20,40,60,100"},
                           {"seeds", "15"},
                           {"first", "0"},
                           {"hyperparameters", "bayes"},
                           {"kernel", "auto"},
                           {"acquisition", "log-ei"},
                           {"length-sd", "1.4"},
                           {"warp", "yes"}});
  std::vector<Index> at = settings.integers("at");
  GpProposerOptions options = options_of(settings);
  nlohmann::ordered_json lines = nlohmann::ordered_json::array();
  for (const std::string& problem : settings.texts("problems")) {
    const TestObjective objective = test_problem(problem);
    std::vector<std::vector<double>> regrets(at.size());
    double seconds = 0;
    for (Index k = 0; k < settings.integer("seeds"); ++k) {
      options.seed = static_cast<std::uint64_t>(settings.integer("first") + k);
      const Run run = optimize(objective, options, at.back());
      for (std::size_t i = 0; i < at.size(); ++i)
        regrets[i].push_back(run.regrets[static_cast<std::size_t>(at[i] - 1)]);
      seconds += run.seconds / static_cast<double>(settings.integer("seeds"));
    }
    std::string line = fmt::format("{:28}", problem);
    nlohmann::ordered_json record = {{"problem", problem}, {"seconds_per_run", seconds}};
    for (std::size_t i = 0; i < at.size(); ++i) {
      line += fmt::format("  {:4}: {:9.3g} (worst {:.2g})", at[i], median(regrets[i]),
                          *std::max_element(regrets[i].begin(), regrets[i].end()));
      record["regrets"][std::to_string(at[i])] = regrets[i];
    }
    std::cout << line << fmt::format("  {:.1f} s a run", seconds) << std::endl;
    lines.push_back(std::move(record));
  }
  std::cout << nlohmann::ordered_json{{"bench", "regret"}, {"settings", settings.all()}, {"lines", lines}}.dump()
            << '\n';
  return 0;
}
