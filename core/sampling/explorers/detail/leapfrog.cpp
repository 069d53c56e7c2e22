#include "core/sampling/explorers/detail/leapfrog.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/option_schema.hpp"

namespace tempera {

namespace {

void kick(double time, PhasePoint& phase) {
  const std::size_t n = phase.force.size();
  const double* const force = phase.force.data();
  double* const momentum = phase.momentum.data();
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) momentum[i] += time * force[i];
}

}  // namespace

double PhasePoint::energy() const {
  const double sum = 0.5 * squared_norm(momentum) - log_density;
  return std::isnan(sum) ? std::numeric_limits<double>::infinity() : sum;
}

void PhasePoint::resize(std::size_t dimension) {
  for (auto* entries : {&u, &momentum, &gradient, &force}) entries->resize(dimension);
}

bool enter(PathDensity& density, const Metric& metric, const SamplePoint& point, PhasePoint& phase) {
  phase.resize(point.u.size());
  std::copy(point.u.begin(), point.u.end(), phase.u.begin());
  phase.log_density = density.at(phase.u, phase.density, phase.gradient);
  pull_back(metric, phase);
  return std::isfinite(phase.log_density);
}

void pull_back(const Metric& metric, PhasePoint& phase) {
  std::fill(phase.force.begin(), phase.force.end(), 0.0);
  metric.add_pulled_back(1, phase.gradient, phase.force);
}

void leave(const PhasePoint& phase, SamplePoint& point) {
  std::copy(phase.u.begin(), phase.u.end(), point.u.begin());
  point.density = phase.density;
}

StepRecord stuck(StepRecord record) {
  record.acceptance = 0;
  record.divergent = true;
  return record;
}

void draw_momentum(RandomStream& stream, PhasePoint& phase) {
  for (double& entry : phase.momentum) entry = stream.normal();
}

void leapfrog(PathDensity& density, const Metric& metric, double step, PhasePoint& phase) {
  kick(0.5 * step, phase);
  metric.add_image(step, phase.momentum, phase.u);
  phase.log_density = density.at(phase.u, phase.density, phase.gradient);
  pull_back(metric, phase);
  kick(0.5 * step, phase);
}

double first_leapfrog_step(PathDensity& density, const Metric& metric, const SamplePoint& point, RandomStream& stream) {
  constexpr int kMostChanges = 60;
  const double threshold = std::log(0.8);
  PhasePoint start, end;
  if (!enter(density, metric, point, start)) return 1;
  const auto gain = [&](double step) {
    draw_momentum(stream, start);
    end = start;
    leapfrog(density, metric, step, end);
    return start.energy() - end.energy();
  };
  double step = 1;
  const bool grows = gain(step) > threshold;
  for (int k = 0; k < kMostChanges; ++k) {
    const bool above = gain(step) > threshold;
    if (above != grows) break;
    step *= grows ? 2 : 0.5;
  }
  return step;
}

int default_moves(std::size_t dimension) {
  return 3 * static_cast<int>(std::ceil(std::pow(static_cast<double>(dimension), 0.35)));
}

void declare_moves(OptionSchema& schema, std::optional<int>& moves) {
  schema.integer("moves", moves)
      .minimum(1)
      .maximum(1e6)
      .absent("auto")
      .help("moves a step; auto: three times the dimension to the power 0.35");
}

}  // namespace tempera
