// What a proposal costs after n trials: of consecutive ones, each told its value, the middle one, the mean (with the refits
// that fell among them) and the first, which a proposer without a past makes. Seconds of the processor.
//
//   proposal_bench points=100,500,1000 hyperparameters=map,bayes objective=hartmann6 proposals=25 pending=0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "core/bayesopt/candidates.hpp"
#include "core/bayesopt/gp_proposer.hpp"
#include "core/bayesopt/objectives.hpp"
#include "core/bayesopt/sobol.hpp"
#include "tests/bench/bench.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

constexpr std::uint64_t kSeed = 5;

double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// As late in a run: every other point near the optimum, the rest anywhere.
std::vector<Trial> past(const TestObjective& objective, Index n) {
  const Space& space = objective.space();
  const ScrambledSobol sobol(space.size(), kSeed, "proposal-bench");
  std::vector<Trial> trials;
  for (Index i = 0; i < n; ++i) {
    const Eigen::VectorXd unit = sobol.points(i, 1);
    Point point = space.from_unit({unit.data(), static_cast<std::size_t>(unit.size())});
    if (i > n / 4 && i % 2 == 1) {
      RandomStream stream(kSeed, "proposal-bench-near", {i});
      point = perturbed_point(space, trials[static_cast<std::size_t>(i - 1 - i / 4)].point, 0.05, stream);
    }
    Trial trial{i, std::move(point), {}};
    trial.result.value = objective.evaluate(trial.point, kSeed, i);
    trials.push_back(std::move(trial));
  }
  return trials;
}

void bench_proposals(const TestObjective& objective, Index n, const std::string& method, Index proposals, Index pending,
                     Report& report) {
  GpProposerOptions options;
  options.seed = kSeed;
  options.model.hyperparameters.method = method == "map" ? HyperMethod::map : HyperMethod::bayes;
  GpProposer proposer(objective.space(), options);
  std::vector<Trial> trials = past(objective, n);
  std::vector<double> seconds;
  double first = 0;
  Index refits = 0, fitted = 0;
  for (Index k = 0; k <= proposals; ++k) {
    std::vector<PendingTrial> waiting;
    for (Index p = 0; p < pending; ++p) waiting.push_back({n + k + p, trials[static_cast<std::size_t>(p)].point});
    for (PendingTrial& trial : waiting) trial.point[0] = std::fmod(trial.point[0] + 0.5, 1.0);
    const double start = processor_seconds();
    const Proposal proposal = proposer.propose(n + k, trials, waiting);
    (k == 0 ? first : seconds.emplace_back()) = processor_seconds() - start;
    const auto at = proposal.why.value("fitted", Index{0});
    if (k > 0 && at != fitted) ++refits;
    fitted = at;
    Trial trial{n + k, proposal.point, {}};
    trial.result.value = objective.evaluate(trial.point, kSeed, n + k);
    trials.push_back(std::move(trial));
  }
  double mean = 0;
  for (const double one : seconds) mean += one / static_cast<double>(seconds.size());
  report.add(fmt::format("n={}", n), method, timing_of(seconds), {}, true,
             {{"mean_seconds", mean}, {"first_seconds", first}, {"refits", refits}});
  report.note(fmt::format("n = {:5}, {:5}: {:8.1f} ms a proposal, middle {:8.1f}, first {:8.0f}; {} refits of {}", n,
                          method, 1e3 * mean, 1e3 * timing_of(seconds).median, 1e3 * first, refits, proposals));
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(argc, argv,
                          {{"points", "100,500,1000"},
                           {"hyperparameters", "map,bayes"},
                           {"objective", "hartmann6"},
                           {"proposals", "25"},
                           {"pending", "0"}});
  Report report("proposal_bench", settings);
  const TestObjective objective(settings.text("objective"));
  for (const std::string& method : settings.texts("hyperparameters"))
    for (const Index n : settings.integers("points"))
      bench_proposals(objective, n, method, settings.integer("proposals"), settings.integer("pending"), report);
  return report.finish();
}
