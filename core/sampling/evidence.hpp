#pragma once

#include <span>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// log Z of one round, estimated in several ways from the same draws, each with its standard error.
struct Evidence {
  double estimate =
      0;  ///< multistate Bennett acceptance ratio (MBAR): of least variance among those that use these draws
  double standard_error = 0;
  double forward = 0;  ///< stepping stone from the reference to the target
  double forward_error = 0;
  double reverse = 0;  ///< and back; of infinite variance where neighbours differ much, which makes it too low
  double reverse_error = 0;
  double stepping_stone = 0;  ///< half their sum
  double stepping_stone_error = 0;
  double thermodynamic = 0;  ///< ∫ E_β[V] dβ by the trapezoidal rule with its second-order correction
  double thermodynamic_error = 0;
  /// Both directions are further from the estimate than four standard errors. One alone may be where its variance is
  /// infinite; both are where neighbouring chains saw different modes.
  bool disagree = false;
};

/// @param schedule     β of the chains, increasing from 0 to 1
/// @param likelihoods  V = log likelihood, chain after chain: likelihoods[c · scans + t] at scan t; not NaN. −∞ may occur
///                     at β = 0 only
/// Standard errors come from the influence of each scan on the whole estimate, summed over all chains, and the
/// effective size of that one series: the correlation between chains and scans is in it.
/// Cost: the ways by pairs chains · scans, MBAR that times chains and some ten iterations.
/// Gelman & Meng 1998; Xie et al. 2011; Shirts & Chodera 2008.
Evidence estimate_evidence(std::span<const double> schedule, std::span<const double> likelihoods, Index scans);

/// Weights of the draws of all chains, in the order of `likelihoods`, by which they are draws of the target: π_1 over the
/// mixture of all chains, by MBAR (Shirts & Chodera 2008, eq. 9). They add up to 1. Cost as estimate_evidence.
std::vector<double> target_weights(std::span<const double> schedule, std::span<const double> likelihoods, Index scans);

/// Λ = ∫ λ(β) dβ with λ(β) = ½ E|V − V′| for V, V′ independent draws at β: by pairs of draws of one chain that lie half a
/// round apart. Between two chains 1/λ is a straight line, as it is for Gaussians of any dimension: with as few chains as
/// there usually are, λ changes several times over from one to the next. Syed et al. 2022, §3.
double communication_barrier(std::span<const double> schedule, std::span<const double> likelihoods, Index scans);

}  // namespace tempera
