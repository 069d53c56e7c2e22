#include "core/sampling/explorers/independence_explorer.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/option_schema.hpp"
#include "core/sampling/explorers/detail/step_size.hpp"

namespace tempera {

void IndependenceOptions::declare(OptionSchema& schema) {
  schema.integer("proposals", proposals).minimum(1).maximum(1e6).help("proposals a step");
  ApproximationOptions::declare(schema);
}

StepRecord IndependenceExplorer::step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point,
                                      RandomStream& stream) {
  const Approximation approximation(tuning, wants_covariance(), options_.degrees);
  z_.resize(point.u.size());
  u_.resize(point.u.size());
  approximation.whiten(point.u, z_);
  double here = density.combined(point.density) - approximation.log_density(z_);
  double accepted = 0;
  for (int k = 0; k < options_.proposals; ++k) {
    const double spread = std::sqrt(approximation.draw_variance(stream));
    for (double& entry : z_) entry = spread * stream.normal();
    approximation.place(z_, u_);
    LogDensity parts;
    const double there = density.at(u_, parts) - approximation.log_density(z_);
    const double probability = metropolis(there - here);
    accepted += probability;
    if (stream.uniform() >= probability) continue;
    std::copy(u_.begin(), u_.end(), point.u.begin());
    point.density = parts;
    here = there;
  }
  StepRecord record;
  record.proposals = options_.proposals;
  record.acceptance = accepted / options_.proposals;
  return record;
}

}  // namespace tempera
