#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/sampling/model.hpp"
#include "core/sampling/targets/data_field.hpp"

namespace tempera {

class JsonData;
class OptionSchema;

struct GaussianMixtureOptions {
  Index components = 2;
  Index observations = 200;
  bool ordered = false;
  std::int64_t seed = 0;
  void declare(OptionSchema& schema);
};

/// Clustering: y_i ~ Σ_k weights_k N(mu_k, sigma_k), weights uniform on the simplex, mu_k ~ N(0, 5), sigma_k ~ half-
/// N(0, 2). Not ordered, the posterior has components! equal modes; ordered, mu rises and the prior is that of the
/// sorted means, so the evidence is the same. Simulated data come from their seed: component k of equal weight, mean
/// 3 (k − (components − 1)/2), standard deviation 1.
/// Cost: one exponential an observation and component.
class GaussianMixtureModel final : public Model {
 public:
  using Options = GaussianMixtureOptions;
  explicit GaussianMixtureModel(const GaussianMixtureOptions& options);
  /// @throws Error{input} as JsonData does
  GaussianMixtureModel(const GaussianMixtureOptions& options, JsonData& data);
  /// @throws Error{Category::shape} without observations or components
  GaussianMixtureModel(std::vector<double> observations, Index components, bool ordered);

  static std::vector<DataField> data_fields();

  std::vector<ParameterBlock> parameters() const override;
  double log_prior(std::span<const double> theta, std::span<double> gradient) override;
  double log_likelihood(std::span<const double> theta, std::span<double> gradient) override;
  bool has_gradient() const override { return true; }
  bool samples_prior() const override { return true; }
  bool normalised_prior() const override { return true; }
  void sample_prior(RandomStream& stream, std::span<double> theta) override;
  std::unique_ptr<Model> clone() const override { return std::make_unique<GaussianMixtureModel>(*this); }

 private:
  std::vector<double> y_;
  std::size_t components_;
  bool ordered_;
  std::vector<double> scratch_;  // log density of each component, then its share; the constants of each
};

}  // namespace tempera
