#include "core/sampling/explorers/random_walk_explorer.hpp"

#include "tests/unit/sampling/explorers/explorer_fixture.hpp"

namespace tempera {
namespace {

using namespace test;

RandomWalkExplorer componentwise() {
  RandomWalkOptions options;
  options.componentwise = true;
  return RandomWalkExplorer(options);
}

TEST(RandomWalkExplorer, LeavesDensitiesInvariantWithGoodAndBadSteps) {
  RandomWalkExplorer whole, components = componentwise();
  for (const double step : {0.05, 1.0, 5.0})
    for (const ExactCase& exact : {correlated_normal(0.5), correlated_normal(1), log_gammas(0.5), bounded(1),
                                   broken_density(), small_funnel(), two_modes()}) {
      for (const bool dense : {false, true})
        expect_invariance(whole, exact, tuning_for(exact, 1, dense, {step}), dense ? "dense" : "diagonal");
      expect_invariance(components, exact, tuning_for(exact, 1, false, {step}), "componentwise");
    }
}

/// A chain of one normal over rounds of doubling length with fixed moments.
double settled_step(Explorer& explorer, Index dimension, double start, double& acceptance) {
  FunctionTarget target(dimension, [](In u, Out) {
    double sum = 0;
    for (const double x : u) sum -= 0.5 * x * x;
    return sum;
  });
  PathDensity density(target, 1);
  const auto n = static_cast<std::size_t>(dimension);
  ChainTuning tuning{std::vector<double>(n), std::vector<double>(n, 1.0), {}, {start}};
  RandomStream stream(1, "rwm-test", {});
  SamplePoint point{std::vector<double>(n, 1.0), {}};
  density.at(point.u, point.density);
  for (int round = 1; round <= 12; ++round) {
    ChainReport report;
    for (int k = 0; k < 1 << round; ++k) report.add(explorer.step(density, tuning, point, stream));
    acceptance = report.mean_acceptance();
    tuning.step_sizes = explorer.next_step_sizes(tuning, tuning, report);
  }
  return tuning.step_sizes[0];
}

TEST(RandomWalkExplorer, SettlesAtTheOptimalStep) {
  double acceptance = 0;
  RandomWalkExplorer whole, components = componentwise();
  for (const double start : {1e-3, 1.0, 300.0}) {
    EXPECT_NEAR(settled_step(whole, 10, start, acceptance), 2.38 / std::sqrt(10.0), 0.08);
    EXPECT_NEAR(acceptance, 0.2546, 0.03);
    EXPECT_NEAR(settled_step(whole, 1, start, acceptance), 2.4, 0.3);
    EXPECT_NEAR(acceptance, 0.44, 0.04);
    EXPECT_NEAR(settled_step(components, 5, start, acceptance), 2.4, 0.2);
  }
}

TEST(RandomWalkExplorer, StepFollowsAChangeOfTheMetric) {
  RandomWalkExplorer explorer;
  ChainTuning before{{0, 0}, {1, 1}, {}, {0.1}}, after{{0, 0}, {0.1, 0.1}, {}, {}};
  EXPECT_NEAR(explorer.next_step_sizes(before, after, {})[0], 1.0, 1e-12) << "in one unit it stays the same length";
  after.scales = {0.1, 1};
  EXPECT_NEAR(explorer.next_step_sizes(before, after, {})[0], 0.1, 1e-12)
      << "little is known: no coordinate moves farther";
  ChainReport report;  // much is known, and the acceptance is right
  report.step_sizes[0] = {1 << 30, (0.234 + 0.103) * (1 << 30), 0};
  EXPECT_NEAR(explorer.next_step_sizes(before, after, report)[0], 0.1 * std::sqrt((100 + 1) / 2.0), 1e-6);
  after.covariance_factor = {0.1, 0, 0, 1};
  EXPECT_NEAR(explorer.next_step_sizes(before, after, report)[0], 0.1 * std::sqrt((100 + 1) / 2.0), 1e-6);
}

}  // namespace
}  // namespace tempera
