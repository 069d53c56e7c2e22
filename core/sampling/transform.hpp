#pragma once

#include <span>
#include <string>

#include "core/base/index.hpp"

namespace tempera {

/// A smooth map from unconstrained coordinates u to a constrained value θ. A small value; which map is chosen at run
/// time.
///
/// The first four work entry by entry on any number of scalars, the others on one vector (matrix) a call:
///
/// | kind                 | θ                                              | entries of u → θ | measure of θ         |
/// |----------------------|------------------------------------------------|------------------|----------------------|
/// | identity             | u                                              | n → n            | dθ                   |
/// | lower, upper         | bound ± e^u                                    | n → n            | dθ                   |
/// | interval             | lower + (upper − lower)/(1 + e^−u)             | n → n            | dθ                   |
/// | ordered              | θ_0 = u_0, θ_k = θ_{k−1} + e^{u_k}             | K → K            | dθ                   |
/// | positive_ordered     | the same with θ_0 = e^{u_0}                    | K → K            | dθ                   |
/// | simplex              | stick breaking; u = 0 is (1/K, …, 1/K)         | K−1 → K          | dθ_0 … dθ_{K−2}      |
/// | unit_vector          | u/‖u‖                                          | K → K            | surface of the sphere|
/// | cholesky_correlation | rows from tanh u, row-major with zeros above   | K(K−1)/2 → K²    | below the diagonal   |
/// | sum_to_zero          | orthonormal basis of the hyperplane            | K−1 → K          | its K−1 dim. volume  |
///
/// log |J| is relative to the measure of the last column, so ∫ π(θ(u)) |J| du = ∫ π(θ) and evidences are kept. The unit
/// vector has one coordinate too many: its "Jacobian" is the density of K standard normals over that of the direction
/// times the sphere's area, −‖u‖²/2 − log(2^{K/2−1} Γ(K/2)), which makes the length independent of the direction.
///
/// All maps and log |J| are finite for |u| ≤ 700 (no more than 10⁴ increments of an ordered vector). Cost: at most one
/// exponential and one logarithm an entry; nothing is allocated.
/// Stan Reference Manual, "Constraint transforms"; Lewandowski, Kurowicka & Joe 2009 (correlations).
class Transform {
 public:
  enum class Kind {
    identity,
    lower,
    upper,
    interval,
    ordered,
    positive_ordered,
    simplex,
    unit_vector,
    cholesky_correlation,
    sum_to_zero
  };

  /// The identity.
  Transform() = default;
  static Transform identity() { return {}; }
  /// θ > bound. @throws Error{Category::input} if the bound is not finite
  static Transform lower(double bound);
  /// θ < bound. @throws Error{Category::input} if the bound is not finite
  static Transform upper(double bound);
  /// lower < θ < upper. @throws Error{Category::input} unless both are finite and lower < upper
  static Transform interval(double lower, double upper);
  /// θ_0 < θ_1 < …
  static Transform ordered() { return Transform(Kind::ordered); }
  /// 0 < θ_0 < θ_1 < …
  static Transform positive_ordered() { return Transform(Kind::positive_ordered); }
  /// θ_k > 0, Σ θ_k = 1
  static Transform simplex() { return Transform(Kind::simplex); }
  /// ‖θ‖ = 1
  static Transform unit_vector() { return Transform(Kind::unit_vector); }
  /// θ lower triangular with a positive diagonal and rows of length one: θθᵀ is a correlation matrix
  static Transform cholesky_correlation() { return Transform(Kind::cholesky_correlation); }
  /// Σ θ_k = 0
  static Transform sum_to_zero() { return Transform(Kind::sum_to_zero); }

  Kind kind() const { return kind_; }
  /// Bounds of lower, upper and interval; infinite where there is none.
  double lower_bound() const;
  double upper_bound() const;
  /// "lower(0)", "interval(0, 1)", "simplex".
  std::string text() const;
  /// Number of last modes of a block that make one value: 0 entry by entry, 1 a vector, 2 a matrix.
  int order() const;
  /// Entries of u of one value that has this many constrained entries (of n scalars if order() is 0).
  Index unconstrained_size(Index constrained_size) const;

  /// Writes θ(u) and returns log |J|. @pre u.size() = unconstrained_size(theta.size()), theta not empty
  double constrain(std::span<const double> u, std::span<double> theta) const;
  /// The inverse; not finite where θ lies outside or on the boundary. u of a unit vector has length one.
  void unconstrain(std::span<const double> theta, std::span<double> u) const;
  /// u_gradient = (∂θ/∂u)ᵀ theta_gradient, overwritten. @param theta θ(u), as constrain() wrote it
  /// Entries of theta_gradient above the diagonal of a Cholesky factor are not read.
  void pull_back(std::span<const double> u, std::span<const double> theta, std::span<const double> theta_gradient,
                 std::span<double> u_gradient) const;
  /// u_gradient += ∂ log|J|/∂u. @param theta θ(u)
  void add_jacobian_gradient(std::span<const double> u, std::span<const double> theta,
                             std::span<double> u_gradient) const;

 private:
  explicit Transform(Kind kind, double first = 0, double second = 0) : kind_(kind), first_(first), second_(second) {}
  template <class Action>
  auto with_map(Action action) const;

  Kind kind_ = Kind::identity;
  double first_ = 0;   // the bound; the lower one of an interval
  double second_ = 0;  // the upper one of an interval
};

}  // namespace tempera
