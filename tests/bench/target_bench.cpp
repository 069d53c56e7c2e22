// Time of one evaluation of the built-in targets, with and without gradients, on one core. A sum over the points is
// checked against that of single evaluations by a clone.
//
//   target_bench targets=gaussian,mixture dim=10
#include <fmt/format.h>

#include <cmath>

#include "core/sampling/targets/targets.hpp"
#include "tests/bench/bench.hpp"

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

double sum_over(Target& target, const std::vector<double>& points, std::span<double> one, std::span<double> other) {
  const auto dimension = static_cast<std::size_t>(target.dimension());
  double sum = 0;
  for (std::size_t i = 0; i < points.size(); i += dimension) {
    const LogDensity density = target.evaluate(std::span(points).subspan(i, dimension), one, other);
    sum += std::atan(density.reference) + std::atan(density.likelihood);
  }
  return sum;
}

void bench_target(const std::string& name, const std::vector<std::string>& settings, Report& report) {
  const auto target = make_target(name, settings);
  const std::vector<double> points = points_of(*target);
  const double expected = sum_over(*target->clone(), points, {}, {});
  std::vector<double> one(static_cast<std::size_t>(target->dimension())), other(one.size());
  for (const bool gradient : {false, true}) {
    if (gradient && !target->has_gradient()) continue;
    const std::span<double> first = gradient ? std::span(one) : std::span<double>();
    const std::span<double> second = gradient ? std::span(other) : std::span<double>();
    double sum = 0;
    const Timing timing = time_runs([&] {
      for (int repeat = 0; repeat < kRepeats; ++repeat) sum = sum_over(*target, points, first, second);
    });
    const char* kernel = gradient ? "gradient" : "value";
    const double nanoseconds = timing.best / (kPoints * kRepeats) * 1e9;
    report.add(name, kernel, timing, Work{}, sum == expected,
               {{"dimension", target->dimension()}, {"nanoseconds_per_evaluation", nanoseconds}});
    report.note(fmt::format("{:22} {:9} dimension {:3}: {:8.1f} ns an evaluation", name, kernel, target->dimension(),
                            nanoseconds));
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string all;
  for (const TargetDescription& target : describe_targets()) all += (all.empty() ? "" : ",") + target.name;
  const Settings settings(argc, argv, {{"targets", all}, {"dim", "10"}});
  Report report("target", settings);
  for (const std::string& name : settings.texts("targets")) {
    std::vector<std::string> values;
    for (const TargetDescription& target : describe_targets())
      for (const TargetSetting& setting : target.settings)
        if (target.name == name && setting.name == "dim") values = {"dim=" + settings.text("dim")};
    bench_target(name, values, report);
  }
  return report.finish();
}
