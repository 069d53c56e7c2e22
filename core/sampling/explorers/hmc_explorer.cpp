#include "core/sampling/explorers/hmc_explorer.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/option_schema.hpp"
#include "core/sampling/explorers/detail/step_size.hpp"

namespace tempera {

void HmcOptions::declare(OptionSchema& schema) {
  schema.real("length", length).above(0).maximum(1e6).help("path length; half a period of a standard normal is 3.14");
  schema.real("jitter", jitter).minimum(0).maximum(1).help("paths are up to this fraction longer or shorter");
  schema.integer("max-leapfrogs", max_leapfrogs).minimum(1).maximum(1e6).help("leapfrog steps after which a path ends");
  schema.real("target", target).above(0).below(1).help("mean acceptance probability");
  schema.flag("dense", dense).help("the metric knows correlations");
}

StepRecord HmcExplorer::step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point,
                             RandomStream& stream) {
  const Metric metric = metric_of(tuning);
  const double step = step_size(tuning);
  StepRecord record;
  if (!enter(density, metric, point, phase_)) return stuck(record);
  draw_momentum(stream, phase_);
  record.energy = phase_.energy();
  const double length = options_.length * (1 + options_.jitter * (2 * stream.uniform() - 1));
  const double leapfrogs = std::clamp(std::ceil(length / step), 1.0, static_cast<double>(options_.max_leapfrogs));
  double error = 0;
  while (static_cast<double>(record.proposals) < leapfrogs && !record.divergent) {
    leapfrog(density, metric, step, phase_);
    ++record.proposals;
    error = phase_.energy() - record.energy;
    record.divergent = !(error <= kDivergence);
  }
  record.acceptance = record.divergent ? 0 : metropolis(-error);
  if (stream.uniform() < record.acceptance) leave(phase_, point);
  note(record, record.acceptance);
  return record;
}

}  // namespace tempera
