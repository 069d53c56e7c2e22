#include "core/sampling/explorers/mala_explorer.hpp"

#include <algorithm>
#include <utility>

#include "core/base/option_schema.hpp"
#include "core/sampling/explorers/detail/step_size.hpp"

namespace tempera {

void MalaOptions::declare(OptionSchema& schema) {
  declare_moves(schema, moves);
  schema.real("target", target).above(0).below(1).help("mean acceptance probability");
  schema.flag("dense", dense).help("the metric knows correlations");
}

StepRecord MalaExplorer::step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point,
                              RandomStream& stream) {
  const Metric metric = metric_of(tuning);
  const double step = step_size(tuning);
  const int moves = options_.moves.value_or(default_moves(point.u.size()));
  StepRecord record;
  if (!enter(density, metric, point, here_)) return stuck(record);
  double accepted = 0;
  for (int k = 0; k < moves; ++k) {
    draw_momentum(stream, here_);
    there_ = here_;
    leapfrog(density, metric, step, there_);
    const double probability = metropolis(here_.energy() - there_.energy());
    accepted += probability;
    if (stream.uniform() < probability) std::swap(here_, there_);
  }
  leave(here_, point);
  record.proposals = moves;
  record.acceptance = accepted / moves;
  note(record, record.acceptance);
  return record;
}

}  // namespace tempera
