#include "core/sampling/explorers/random_walk_explorer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/contract.hpp"
#include "core/base/option_schema.hpp"
#include "core/sampling/explorers/detail/metric.hpp"
#include "core/sampling/explorers/detail/step_size.hpp"

namespace tempera {

namespace {

constexpr double kOptimalScaling = 2.38;  // Roberts, Gelman & Gilks 1997

}  // namespace

void RandomWalkOptions::declare(OptionSchema& schema) {
  schema.integer("proposals", proposals)
      .minimum(1)
      .maximum(1e6)
      .absent("auto")
      .help("proposals a step, passes if componentwise; auto: as many as coordinates, one pass");
  schema.flag("componentwise", componentwise).help("one coordinate at a time");
  schema.flag("diagonal", diagonal)
      .help("proposals ignore correlations, memory does not grow with the dimension squared");
  schema.real("target", target)
      .above(0)
      .below(1)
      .absent("auto")
      .help("mean acceptance probability; auto: 0.44 in one dimension, falling to 0.234");
}

StepRecord RandomWalkExplorer::step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point,
                                    RandomStream& stream) {
  const std::size_t dimension = point.u.size();
  TEMPERA_EXPECTS(tuning.scales.size() == dimension);
  StepRecord record;
  double accepted = 0;
  if (options_.componentwise) {
    const int passes = options_.proposals.value_or(1);
    for (int k = 0; k < passes; ++k) accepted += pass(density, tuning, point, stream);
    record.proposals = passes * static_cast<Index>(dimension);
  } else {
    const int proposals = options_.proposals.value_or(static_cast<int>(dimension));
    accepted = move_all(density, tuning, proposals, point, stream);
    record.proposals = proposals;
  }
  record.acceptance = accepted / static_cast<double>(record.proposals);
  note(record, record.acceptance);
  return record;
}

double RandomWalkExplorer::move_all(PathDensity& density, const ChainTuning& tuning, int proposals, SamplePoint& point,
                                    RandomStream& stream) {
  const double step = step_size(tuning);
  const Metric metric(tuning, wants_covariance());
  normals_.resize(point.u.size());
  double accepted = 0;
  double current = density.combined(point.density);
  for (int k = 0; k < proposals; ++k) {
    for (double& z : normals_) z = stream.normal();
    proposal_ = point.u;
    metric.add_image(step, normals_, proposal_);
    LogDensity parts;
    const double value = density.at(proposal_, parts);
    const double probability = metropolis(value - current);
    accepted += probability;
    if (stream.uniform() >= probability) continue;
    std::copy(proposal_.begin(), proposal_.end(), point.u.begin());
    point.density = parts;
    current = value;
  }
  return accepted;
}

double RandomWalkExplorer::pass(PathDensity& density, const ChainTuning& tuning, SamplePoint& point,
                                RandomStream& stream) {
  const double step = step_size(tuning);
  order_.resize(point.u.size());
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  stream.shuffle(order_);
  double accepted = 0;
  double current = density.combined(point.density);
  for (const std::size_t i : order_) {
    const double origin = point.u[i];
    point.u[i] += step * tuning.scales[i] * stream.normal();
    LogDensity parts;
    const double value = density.at(point.u, parts);
    const double probability = metropolis(value - current);
    accepted += probability;
    if (stream.uniform() < probability) {
      point.density = parts;
      current = value;
    } else {
      point.u[i] = origin;
    }
  }
  return accepted;
}

double RandomWalkExplorer::first_step_size(PathDensity&, const ChainTuning& tuning, const SamplePoint&, RandomStream&) {
  return options_.componentwise ? kOptimalScaling
                                : kOptimalScaling / std::sqrt(static_cast<double>(tuning.scales.size()));
}

double RandomWalkExplorer::next_step_size(double step, const StepSizeUse& use, const ChainTuning& before,
                                          const ChainTuning& after) const {
  const double dimension = options_.componentwise ? 1 : static_cast<double>(before.scales.size());
  const double target = options_.target.value_or(0.234 + 0.206 / dimension);
  return AcceptanceLaw{1, target, wants_covariance()}.next(step, use, before, after);
}

}  // namespace tempera
