#pragma once

#include <span>
#include <vector>

#include "core/sampling/explorer.hpp"

namespace tempera {

/// The linear map S under which a chain u = mean + S z looks most like a standard normal z: the factor of its covariance,
/// or the diagonal of its scales. Refers to the tuning. Cost of each product: d or d²/2 multiply-adds.
class Metric {
 public:
  /// @param dense the covariance factor is used where the tuning has one
  Metric(const ChainTuning& tuning, bool dense);
  explicit Metric(std::span<const double> scales) : scales_(scales) {}

  std::size_t dimension() const { return scales_.size(); }
  bool is_dense() const { return !factor_.empty(); }
  /// u += step·S z
  void add_image(double step, std::span<const double> z, std::span<double> u) const;
  /// z += step·Sᵀ g: a gradient with respect to u becomes one with respect to z.
  void add_pulled_back(double step, std::span<const double> g, std::span<double> z) const;
  /// Overwrites z by S⁻¹ z.
  void whiten(std::span<double> z) const;
  /// log |det S|
  double log_volume() const;

 private:
  void add_scaled(double step, const double* from, double* to) const;

  std::span<const double> scales_, factor_;
};

/// Sum of squares, in an order of its own.
double squared_norm(std::span<const double> x);

}  // namespace tempera
