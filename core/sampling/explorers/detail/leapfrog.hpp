#pragma once

#include <optional>
#include <vector>

#include "core/sampling/explorer.hpp"
#include "core/sampling/explorers/detail/metric.hpp"

namespace tempera {

class OptionSchema;

/// An energy error above which a path diverges, as in Stan.
inline constexpr double kDivergence = 1000;

/// A point of phase space. The momentum q is that of the coordinates in which the metric S is the identity: standard
/// normal, where that of u would be S⁻ᵀq with mass matrix (SSᵀ)⁻¹.
struct PhasePoint {
  std::vector<double> u, momentum, gradient;
  std::vector<double> force;  ///< Sᵀ gradient
  LogDensity density;
  double log_density = 0;

  /// −log π_β + |q|²/2; +∞ where the density is zero or anything is NaN.
  double energy() const;
  void resize(std::size_t dimension);
};

/// Position and gradient of a point of the chain; the momentum is left alone. False if the gradient there is not finite: as
/// explorers that use gradients never go to such points, they have to stay where they are at one.
bool enter(PathDensity& density, const Metric& metric, const SamplePoint& point, PhasePoint& phase);
/// The force in another metric.
void pull_back(const Metric& metric, PhasePoint& phase);
/// The chain moves on to this point.
void leave(const PhasePoint& phase, SamplePoint& point);
/// What a step reports where enter() failed.
StepRecord stuck(StepRecord record);
void draw_momentum(RandomStream& stream, PhasePoint& phase);
/// One leapfrog step, backwards in time if `step` is negative. Where it leaves the support the energy is +∞.
void leapfrog(PathDensity& density, const Metric& metric, double step, PhasePoint& phase);

/// A step size by which one leapfrog step changes the energy by about log 0.8: doubled or halved from 1, each time with a
/// fresh momentum, until that is passed. Hoffman & Gelman 2014, algorithm 4, with the threshold of Stan.
double first_leapfrog_step(PathDensity& density, const Metric& metric, const SamplePoint& point, RandomStream& stream);

/// Langevin moves a step, of which mixing takes the order of d^(1/3): 3⌈d^0.35⌉.
int default_moves(std::size_t dimension);
/// The option of that number.
void declare_moves(OptionSchema& schema, std::optional<int>& moves);

}  // namespace tempera
