// Time of one evaluation of the built-in targets and of the posteriordb models, with and without gradients, on one core.
// A sum over the points is checked against that of single evaluations by a clone.
//
//   target_bench targets=gaussian,mixture,garch-garch11 dim=10
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/sampling/targets/targets.hpp"
#include "tests/bench/bench.hpp"
#include "tests/models/models.hpp"
#include "tests/models/reference.hpp"
#include "tests/support/data.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

constexpr Index kPoints = 64;
constexpr int kRepeats = 200;

/// Draws from the reference, one after the other.
std::vector<double> points_of(Target& target) {
  const auto dimension = static_cast<std::size_t>(target.dimension());
  std::vector<double> points(dimension * kPoints);
  for (Index i = 0; i < kPoints; ++i) {
    RandomStream stream(1, "bench-target", {i});
    target.sample_reference(stream, std::span(points).subspan(static_cast<std::size_t>(i) * dimension, dimension));
  }
  return points;
}

/// Some of the reference draws, one after the other.
std::vector<double> points_of(const Target& target, const std::string& posterior, const std::filesystem::path& folder) {
  const auto dimension = static_cast<std::size_t>(target.dimension());
  const auto draws = test::read_reference_draws(posterior, folder);
  std::vector<double> points(dimension * kPoints);
  for (std::size_t i = 0; i < kPoints; ++i)
    target.unconstrain(test::from_reference_parameters(posterior, draws[i % draws.size()]),
                       std::span(points).subspan(i * dimension, dimension));
  return points;
}

double sum_over(Target& target, const std::vector<double>& points, std::span<double> one, std::span<double> other) {
  const auto dimension = static_cast<std::size_t>(target.dimension());
  double sum = 0;
  for (std::size_t i = 0; i < points.size(); i += dimension) {
    const LogDensity density = target.evaluate(std::span(points).subspan(i, dimension), one, other);
    sum += std::atan(density.reference) + std::atan(density.likelihood);
  }
  return sum;
}

void bench_target(const std::string& name, Target& target, const std::vector<double>& points, Report& report) {
  const double expected = sum_over(*target.clone(), points, {}, {});
  std::vector<double> one(static_cast<std::size_t>(target.dimension())), other(one.size());
  for (const bool gradient : {false, true}) {
    if (gradient && !target.has_gradient()) continue;
    const std::span<double> first = gradient ? std::span(one) : std::span<double>();
    const std::span<double> second = gradient ? std::span(other) : std::span<double>();
    double sum = 0;
    const Timing timing = time_runs([&] {
      for (int repeat = 0; repeat < kRepeats; ++repeat) sum = sum_over(target, points, first, second);
    });
    const char* kernel = gradient ? "gradient" : "value";
    const double nanoseconds = timing.best / (kPoints * kRepeats) * 1e9;
    report.add(name, kernel, timing, Work{}, sum == expected,
               {{"dimension", target.dimension()}, {"nanoseconds_per_evaluation", nanoseconds}});
    report.note(fmt::format("{:39} {:9} dimension {:3}: {:8.1f} ns an evaluation", name, kernel, target.dimension(),
                            nanoseconds));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path folder = test::data_file("posteriordb");
  std::vector<std::string> names;
  for (const TargetDescription& target : describe_targets()) names.push_back(target.name);
  const auto built_in = static_cast<std::ptrdiff_t>(names.size());
  if (!folder.empty()) names.insert(names.end(), test::posteriordb_names().begin(), test::posteriordb_names().end());
  const Settings settings(argc, argv, {{"targets", fmt::format("{}", fmt::join(names, ","))}, {"dim", "10"}});
  Report report("target", settings);
  for (const std::string& name : settings.texts("targets")) {
    if (std::find(names.begin() + built_in, names.end(), name) != names.end()) {
      TransformedTarget target(test::make_posteriordb_model(name, folder));
      bench_target(name, target, points_of(target, name, folder), report);
      continue;
    }
    std::vector<std::string> values;
    for (const TargetDescription& target : describe_targets())
      for (const TargetSetting& setting : target.settings)
        if (target.name == name && setting.name == "dim") values = {"dim=" + settings.text("dim")};
    const auto target = make_target(name, values);
    bench_target(name, *target, points_of(*target), report);
  }
  return report.finish();
}
