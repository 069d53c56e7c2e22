#pragma once

#include <limits>
#include <span>

namespace tempera {

/// Proximal operators of one vector, in place: x becomes the z that minimises g(z) + ½‖z − x‖². For the indicator of a
/// set that is the nearest point of the set. None of them allocates more than a few vectors of the length of x.

/// g = threshold · ‖z‖₁.
void soft_threshold(std::span<double> x, double threshold);

/// lower ≤ z ≤ upper.
void clip(std::span<double> x, double lower, double upper);

/// ‖z‖₂ ≤ 1.
void project_ball(std::span<double> x);

/// Σ z = 1 and lower ≤ z ≤ upper: z = clip(x − τ). With the default bounds this is the probability simplex.
/// @pre x.size()·lower ≤ 1 ≤ x.size()·upper, lower finite
/// Cost: O(n log n). Held, Wolfe & Crowder 1974; with upper bounds Kiwiel 2008.
void project_simplex(std::span<double> x, double lower = 0, double upper = std::numeric_limits<double>::infinity());

/// z₀ ≤ z₁ ≤ …, within the bounds. Pool adjacent violators, then clip (exact for any order: Barlow et al. 1972). O(n).
void project_monotone(std::span<double> x, double lower = -std::numeric_limits<double>::infinity(),
                      double upper = std::numeric_limits<double>::infinity());

/// z rises to a peak and falls after it, within the bounds; the best peak of all (the first of equals). The set is not
/// convex. O(n): Stout 2008.
void project_unimodal(std::span<double> x, double lower = -std::numeric_limits<double>::infinity(),
                      double upper = std::numeric_limits<double>::infinity());

/// ‖Dx‖², D the second differences x_{i−1} − 2x_i + x_{i+1}; 0 for fewer than three entries.
double roughness(std::span<const double> x);

/// g = ½ strength ‖Dz‖²: solves (I + strength DᵀD) z = x, five diagonals. O(n).
void smooth(std::span<double> x, double strength);

/// The same with z ≥ 0: block principal pivoting on the five diagonals; exact. O(n) a pivot step.
void smooth_nonnegative(std::span<double> x, double strength);

}  // namespace tempera
