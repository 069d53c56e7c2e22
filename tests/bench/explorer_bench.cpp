// What explorers cost besides the density, on one core: steps on a Gaussian target, less the time of as many evaluations by
// themselves. The end of the chain is checked against that of a clone.
//
//   explorer_bench explorers=slice/rwm/nuts:dense dim=10,100
#include <fmt/format.h>

#include <cmath>

#include "core/base/text.hpp"
#include "core/sampling/explorers/explorers.hpp"
#include "core/sampling/targets/targets.hpp"
#include "tests/bench/bench.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

/// A chain at the posterior of a Gaussian target whose tuning is known.
struct Chain {
  std::unique_ptr<Target> target;
  ChainTuning tuning;
  SamplePoint point;

  Chain(Index dimension, const Explorer& explorer)
      : target(make_target("gaussian", std::vector<std::string>{fmt::format("dim={}", dimension), "precision=10"})) {
    const auto n = static_cast<std::size_t>(dimension);
    const double scale = std::sqrt(0.1);
    tuning = {std::vector<double>(n, 0.0), std::vector<double>(n, scale), {}, {}};
    if (explorer.wants_covariance()) {
      tuning.covariance_factor.assign(n * n, 0.0);
      for (std::size_t i = 0; i < n; ++i) tuning.covariance_factor[i * (n + 1)] = scale;
    }
    tuning.step_sizes.assign(static_cast<std::size_t>(explorer.step_size_count()), 1 / std::pow(dimension, 0.25));
    point = {std::vector<double>(n, 0.1), {}};
    PathDensity(*target, 1).at(point.u, point.density);
  }

  /// Evaluations, with and without gradients.
  std::pair<Index, Index> run(Explorer& explorer, Index steps) {
    PathDensity density(*target, 1);
    for (Index k = 0; k < steps; ++k) {
      RandomStream stream(1, "bench-explorer", {k});
      explorer.step(density, tuning, point, stream);
    }
    return {density.evaluations() - density.gradients(), density.gradients()};
  }
};

/// Nanoseconds of one evaluation, as explorers see it.
double density_time(Chain& chain, bool gradient) {
  constexpr int kEvaluations = 20'000;
  std::vector<double> slope(chain.point.u.size());
  PathDensity density(*chain.target, 1);
  LogDensity parts;
  double sum = 0;
  const Timing timing = time_runs([&] {
    for (int k = 0; k < kEvaluations; ++k) {
      chain.point.u[0] += 1e-9;
      sum += gradient ? density.at(chain.point.u, parts, slope) : density.at(chain.point.u, parts);
    }
  });
  return std::isfinite(sum) ? timing.best / kEvaluations * 1e9 : NAN;
}

void bench_explorer(const std::string& text, Index dimension, Report& report) {
  const auto explorer = make_explorer(text);
  Chain chain(dimension, *explorer), other(dimension, *explorer);
  const double value_time = density_time(chain, false), gradient_time = density_time(chain, true);
  chain.point = other.point;
  const auto first = chain.run(*explorer, 100);
  const Index steps = std::max<Index>(100, 2'000'000 / ((first.first + first.second) * (dimension + 10) / 100));
  std::pair<Index, Index> evaluations;
  const Timing timing =
      time_runs([&] { evaluations = chain.run(*explorer, steps); }, [&] { chain.point = other.point; });
  other.run(*explorer->clone(), steps);
  const auto [values, gradients] = evaluations;
  const double all = static_cast<double>(values + gradients);
  const double density = static_cast<double>(values) * value_time + static_cast<double>(gradients) * gradient_time;
  const double besides = (timing.best * 1e9 - density) / all;
  report.add(text, fmt::format("dimension {}", dimension), timing, Work{}, chain.point.u == other.point.u,
             {{"dimension", dimension}, {"nanoseconds_besides_density", besides}});
  report.note(fmt::format(
      "{:24} dimension {:4}: {:7.1f} ns an evaluation besides the density's {:.1f}, {:.1f} evaluations a step", text,
      dimension, besides, density / all, all / static_cast<double>(steps)));
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(
      argc, argv,
      {{"explorers",
        "slice/slice:random-directions/rwm/rwm:diagonal/rwm:componentwise/nuts/nuts:dense/hmc/automala/"
        "mala/elliptical/independence"},
       {"dim", "10,100"}});
  Report report("explorer", settings);
  for (const std::string_view text : split(settings.text("explorers"), '/'))
    for (const Index dimension : settings.integers("dim")) bench_explorer(std::string(text), dimension, report);
  return report.finish();
}
