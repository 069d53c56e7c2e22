#pragma once

#include "core/sampling/model.hpp"
#include "core/sampling/targets/regression_data.hpp"

namespace tempera {

class OptionSchema;

struct LinearRegressionOptions {
  Index observations = 50;
  Index predictors = 3;
  std::int64_t seed = 0;
  void declare(OptionSchema& schema);
};

/// y ~ N(Xβ, variance I), β | variance ~ N(0, variance·s² I) with s = 10, variance ~ inverse gamma(2, 2): conjugate.
/// Parameters beta (predictors) and variance > 0. Cost: predictors² multiply-adds, whatever the number of observations
/// (the likelihood depends on them through R of X = QR, the least-squares solution and the residual).
class LinearRegressionModel final : public Model {
 public:
  using Options = LinearRegressionOptions;
  explicit LinearRegressionModel(const LinearRegressionOptions& options);
  /// @throws Error{input} as read_regression does
  LinearRegressionModel(const LinearRegressionOptions& options, JsonData& data);
  /// @throws Error{Category::shape} unless there is an observation and a predictor and the sizes fit;
  ///         Error{Category::input} where squares of the table overflow
  explicit LinearRegressionModel(const RegressionData& data);

  static std::vector<DataField> data_fields() { return regression_fields(ResponseFamily::gaussian); }

  std::vector<ParameterBlock> parameters() const override;
  double log_prior(std::span<const double> theta, std::span<double> gradient) override;
  double log_likelihood(std::span<const double> theta, std::span<double> gradient) override;
  bool has_gradient() const override { return true; }
  bool samples_prior() const override { return true; }
  bool normalised_prior() const override { return true; }
  void sample_prior(RandomStream& stream, std::span<double> theta) override;
  std::unique_ptr<Model> clone() const override { return std::make_unique<LinearRegressionModel>(*this); }

  /// Exact, by the normal-inverse-gamma formula. Cost: predictors³.
  double log_evidence() const;

 private:
  std::size_t predictors_;
  double observations_;
  std::vector<double> gram_;      // XᵀX, predictors × predictors
  std::vector<double> fit_;       // a least-squares solution
  double residual_ = 0;           // ‖y − X fit‖²
  std::vector<double> distance_;  // scratch: β − fit
};

}  // namespace tempera
