#include "core/sampling/explorers/elliptical_slice_explorer.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/option_schema.hpp"

namespace tempera {

void EllipticalSliceOptions::declare(OptionSchema& schema) {
  schema.integer("passes", passes).minimum(1).maximum(1e6).help("ellipses a step");
  ApproximationOptions::declare(schema);
}

StepRecord EllipticalSliceExplorer::step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point,
                                         RandomStream& stream) {
  constexpr double kNothing = 1e-14;  // radians between which there is no other point
  const std::size_t dimension = point.u.size();
  const Approximation approximation(tuning, wants_covariance(), options_.degrees);
  for (auto* entries : {&here_, &partner_, &there_, &u_}) entries->resize(dimension);
  approximation.whiten(point.u, here_);
  StepRecord record;
  record.proposals = -density.evaluations();
  for (int pass = 0; pass < options_.passes; ++pass) {
    const double spread = std::sqrt(approximation.draw_variance(stream, squared_norm(here_), dimension));
    for (double& entry : partner_) entry = spread * stream.normal();
    const double level = density.combined(point.density) - approximation.log_density(here_) - stream.exponential();
    double angle = 2 * std::numbers::pi * stream.uniform();
    double low = angle - 2 * std::numbers::pi, high = angle;
    while (high - low > kNothing) {
      const double cosine = std::cos(angle), sine = std::sin(angle);
      for (std::size_t i = 0; i < dimension; ++i) there_[i] = cosine * here_[i] + sine * partner_[i];
      approximation.place(there_, u_);
      LogDensity parts;
      if (density.at(u_, parts) - approximation.log_density(there_) > level) {
        std::copy(u_.begin(), u_.end(), point.u.begin());
        here_.swap(there_);
        point.density = parts;
        break;
      }
      (angle < 0 ? low : high) = angle;
      angle = low + (high - low) * stream.uniform();
    }
  }
  record.proposals += density.evaluations();
  return record;
}

}  // namespace tempera
