#pragma once

#include <span>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// A monotone function through points: piecewise cubic Hermite, with the slopes of Fritsch & Carlson 1980.
class MonotoneCubic {
 public:
  /// @pre at least two points; x strictly increasing, y not decreasing
  MonotoneCubic(std::span<const double> x, std::span<const double> y);

  double operator()(double x) const;
  /// The least x whose value is y, for y between the first and the last value. By bisection, to the last bits.
  double inverse(double y) const;

 private:
  double in_interval(std::size_t k, double x) const;

  std::vector<double> x_, y_, slope_;
};

/// Inverse temperatures of equal rejection: `chains` of them, from 0 to 1, such that the cumulative rejection between
/// neighbours is the same all along (Syed et al. 2022, algorithm 2).
/// @param schedule    increasing, from 0 to 1
/// @param rejections  mean rejection probability of each neighbouring pair, in [0, 1]
/// Pairs that never rejected count as 1e-6, so that the schedule stays strictly increasing.
std::vector<double> equal_rejection_schedule(std::span<const double> schedule, std::span<const double> rejections,
                                             Index chains);

/// A first schedule that knows nothing: i / (chains − 1).
std::vector<double> even_schedule(Index chains);

/// The number of chains for a barrier Λ at which round trips per evaluation are best: ⌈2Λ⌉ + 1, at least 2.
Index suggested_chains(double barrier);

/// Round trips per scan and ladder that independent explorations would give: 1 / (2 + 2 Σ r/(1 − r)).
/// Syed et al. 2022, corollary 2.
double ideal_round_trip_rate(std::span<const double> rejections);

}  // namespace tempera
