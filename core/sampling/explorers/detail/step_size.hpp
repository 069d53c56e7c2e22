#pragma once

#include "core/sampling/explorer.hpp"

namespace tempera {

/// min(1, e^x); 0 for NaN.
double metropolis(double log_ratio);

/// Whatever is learnt of a step size stays within these.
double within_reach(double step);

/// The factor by which a step size follows a change of the metric, with ω² the eigenvalues of the old covariance relative to
/// the new one: (mean of ω^(2·order))^(1/(2·order)) where the new one is right. A chain that hardly moved has too small
/// variances in some directions, and then the others would suffer: at trust 0 it is the smallest ω, by which no direction
/// takes longer steps than before; in between the geometric mean of the two. Cost: d, or d³ where a metric is dense.
double metric_change(int order, bool dense, const ChainTuning& before, const ChainTuning& after, double trust = 1);

/// How far what a chain has learnt of its moments is to be believed: m/(m + 4) after about m accepted steps.
double trust_in(const StepSizeUse& use);

/// What is taken of a logarithmic change that was learnt in so many steps: n/(n + 3) of it.
double damped(double log_change, Index count);

/// How the acceptance of an algorithm falls with its step size h near a Gaussian: erfc(c·h^order), with
/// c² ∝ Σ ω^(2·order) over the frequencies ω of the target in the coordinates of the metric. Roberts & Rosenthal 2001
/// (order 1 random walk, 3 Langevin); Beskos et al. 2013 (2 leapfrog paths of fixed length).
struct AcceptanceLaw {
  int order = 1;
  double target = 0.5;  ///< mean acceptance probability that is wanted, in (0, 1)
  bool dense = false;   ///< the metric uses the covariance factor

  /// The step size of the next round: nearer to where the law meets the target, by a factor of four at most (ten down, where next
  /// to nothing was accepted), damped, and following the metric.
  double next(double step, const StepSizeUse& use, const ChainTuning& before, const ChainTuning& after) const;
};

}  // namespace tempera
