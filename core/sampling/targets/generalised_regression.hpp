#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/sampling/model.hpp"
#include "core/sampling/targets/regression_data.hpp"

namespace tempera {

class OptionSchema;

enum class CoefficientPrior { normal, horseshoe };

/// Settings of the regressions; one type a family, so that each has its own name.
template <ResponseFamily family>
struct GeneralisedRegressionOptions {
  Index observations = 100;
  Index predictors = 5;
  std::string prior = family == ResponseFamily::gaussian ? "horseshoe" : "normal";
  double scale = 2.5;
  std::int64_t seed = 0;
  void declare(OptionSchema& schema);
};

/// Regression with the first column as intercept. Responses by family: N(Xβ, sigma) with sigma ~ half-Cauchy(scale);
/// Bernoulli with logit Xβ; Poisson with log mean Xβ.
/// Priors of the coefficients:
///   normal      beta_j ~ N(0, scale); parameters beta (predictors)
///   horseshoe   intercept ~ N(0, scale), beta_j = z_j lambda_j tau for the others, z_j ~ N(0, 1), lambda_j and tau ~
///               half-Cauchy(1); parameters intercept, z, lambda (predictors − 1 each), tau: not centred, as the centred
///               form is a funnel in every coefficient
/// and sigma last in the Gaussian family. Cost: two passes over X, one exponential an observation.
/// Carvalho, Polson & Scott 2010 (horseshoe).
class GeneralisedRegressionModel : public Model {
 public:
  /// @throws Error{Category::shape} for sizes that do not fit, and for a horseshoe on fewer than two predictors;
  ///         Error{Category::input} for a response that the family cannot have or a predictor that is not finite, naming
  ///         the row from 0
  GeneralisedRegressionModel(RegressionData data, ResponseFamily family, CoefficientPrior prior, double scale);

  std::vector<ParameterBlock> parameters() const override;
  double log_prior(std::span<const double> theta, std::span<double> gradient) override;
  double log_likelihood(std::span<const double> theta, std::span<double> gradient) override;
  bool has_gradient() const override { return true; }
  bool samples_prior() const override { return true; }
  bool normalised_prior() const override { return true; }
  void sample_prior(RandomStream& stream, std::span<double> theta) override;
  std::unique_ptr<Model> clone() const override { return std::make_unique<GeneralisedRegressionModel>(*this); }

 private:
  std::size_t others() const { return predictors_ - 1; }
  /// β from θ.
  void assemble(std::span<const double> theta);
  /// Log density of all responses for the linear predictors in linear_, which its derivatives replace.
  double responses(double sigma);
  /// Gradient by β in coefficients_ pulled back to θ.
  void spread(std::span<const double> theta, std::span<double> gradient) const;

  RegressionData data_;
  ResponseFamily family_;
  CoefficientPrior prior_;
  double scale_;
  std::size_t predictors_;
  double constants_ = 0;              // of the likelihood
  std::vector<double> coefficients_;  // scratch: β, then the gradient by it
  std::vector<double> linear_;        // scratch, one an observation
  double squares_ = 0;                // scratch: ‖y − Xβ‖² of the Gaussian family
};

/// The same of one family, on a simulated table or one that is given.
template <ResponseFamily family>
class FamilyRegression final : public GeneralisedRegressionModel {
 public:
  using Options = GeneralisedRegressionOptions<family>;
  explicit FamilyRegression(const Options& options)
      : FamilyRegression(options, simulated_regression(family, options.observations, options.predictors,
                                                       static_cast<std::uint64_t>(options.seed))) {}
  /// @throws Error{input} as read_regression does
  FamilyRegression(const Options& options, JsonData& data) : FamilyRegression(options, read_regression(family, data)) {}
  static std::vector<DataField> data_fields() { return regression_fields(family); }

 private:
  FamilyRegression(const Options& options, RegressionData data)
      : GeneralisedRegressionModel(std::move(data), family,
                                   options.prior == "normal" ? CoefficientPrior::normal : CoefficientPrior::horseshoe,
                                   options.scale) {}
};

}  // namespace tempera
