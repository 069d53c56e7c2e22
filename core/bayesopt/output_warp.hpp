#pragma once

#include <Eigen/Core>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

namespace tempera {

/// An increasing map of the objective's values to ones that a Gaussian process describes well: (w(y) − shift)/scale with
/// w(y) = y, or log(y − floor) where large values would otherwise hide the differences between small ones.
class OutputWarp {
 public:
  /// Linear: mean 0 and variance 1 of these values (scale 1 if they are all equal).
  explicit OutputWarp(std::span<const double> values);
  /// Logarithmic, with floor = least value − share · (median − least value). @pre share > 0, has_spread(values)
  OutputWarp(std::span<const double> values, double share);
  /// Whether the median is above the least value.
  static bool has_spread(std::span<const double> values);

  /// @pre defined_at(y)
  double operator()(double y) const;
  bool defined_at(double y) const { return !logarithmic_ || y > floor_; }
  /// Σ log |d warped/d y|: what turns a density of warped values into one of values.
  double log_jacobian(std::span<const double> values) const;
  double scale() const { return scale_; }
  bool logarithmic() const { return logarithmic_; }
  Eigen::VectorXd warped(std::span<const double> values) const;

 private:
  void standardise(std::span<const double> values);

  bool logarithmic_ = false;
  double floor_ = 0, shift_ = 0, scale_ = 1;
};

}  // namespace tempera
