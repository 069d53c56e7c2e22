#pragma once

#include <cmath>
#include <memory>
#include <span>
#include <vector>

#include "core/io/json_data.hpp"
#include "core/sampling/detail/densities.hpp"
#include "core/sampling/model.hpp"

namespace tempera::test {

/// y ~ N(Xβ, σ) with θ = (β, σ), through sufficient statistics: ‖y − Xβ‖² = ‖y − X fit‖² + ‖R(β − fit)‖² with X = QR, a
/// sum of squares without cancellation. Cost: k² multiply-adds for k predictors, whatever the number of observations.
class NormalRegression {
 public:
  /// @param x  y.size() × predictors, row-major
  /// @throws Error{input} unless the columns are independent
  NormalRegression(std::span<const double> x, std::span<const double> y, std::size_t predictors);

  std::size_t predictors() const { return predictors_; }
  /// All constants kept; −∞ for σ = 0. @param gradient  by θ, overwritten; empty: not wanted
  double log_likelihood(std::span<const double> theta, std::span<double> gradient);

 private:
  std::size_t predictors_;
  double observations_;
  double residual_ = 0;           // ‖y − X fit‖²
  std::vector<double> fit_;       // of least squares
  std::vector<double> factor_;    // R, its rows from the diagonal on, one after the other
  std::vector<double> distance_;  // scratch: β − fit
};

/// What the four regressions share.
class RegressionModel : public Model {
 public:
  double log_likelihood(std::span<const double> theta, std::span<double> gradient) override {
    return regression_.log_likelihood(theta, gradient);
  }
  bool has_gradient() const override { return true; }

 protected:
  explicit RegressionModel(NormalRegression regression) : regression_(std::move(regression)) {}
  std::size_t predictors() const { return regression_.predictors(); }

 private:
  NormalRegression regression_;
};

}  // namespace tempera::test
