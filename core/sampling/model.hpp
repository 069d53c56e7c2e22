#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/sampling/target.hpp"

namespace tempera {

/// A posterior as its author writes it: prior and likelihood of the constrained parameters θ, without transforms or
/// Jacobians. TransformedTarget makes a Target of it. One object a replica or thread; nothing is allocated but by the
/// constructor.
///
///     class Coin : public Model {
///       std::vector<ParameterBlock> parameters() const override { return {{"p", {}, Transform::interval(0, 1)}}; }
///       double log_prior(In, Out gradient) override { … }
///       …
///     };
///     TransformedTarget target(std::make_unique<Coin>());
class Model {
 public:
  virtual ~Model() = default;

  /// The blocks of θ, the same at each call.
  virtual std::vector<ParameterBlock> parameters() const = 0;
  /// Log prior density of θ with respect to the measure in the table of Transform. −∞ is a point without mass.
  /// @param theta     constrained_size entries, inside the support or, by rounding, on its boundary
  /// @param gradient  ∂/∂θ, overwritten; empty: not wanted
  virtual double log_prior(std::span<const double> theta, std::span<double> gradient) = 0;
  /// Log likelihood of θ, all constants kept, and ∂/∂θ likewise.
  virtual double log_likelihood(std::span<const double> theta, std::span<double> gradient) = 0;

  /// What a model promises; nothing unless it says so.
  virtual bool has_gradient() const { return false; }
  virtual bool samples_prior() const { return false; }
  /// The prior integrates to one over the support.
  virtual bool normalised_prior() const { return false; }
  /// The name of the first block whose prior has infinite mass. A model that names one neither samples nor normalises
  /// its prior.
  virtual std::optional<std::string> improper_parameter() const { return std::nullopt; }
  /// An independent draw from the prior. @pre samples_prior()
  virtual void sample_prior(RandomStream& stream, std::span<double> theta);

  virtual std::unique_ptr<Model> clone() const = 0;

 protected:
  Model() = default;
  Model(const Model&) = default;
  Model& operator=(const Model&) = default;
};

/// The density of a model over unconstrained space. Costs the model's two functions and the transforms of its blocks.
class TransformedTarget final : public Target {
 public:
  /// @pre model is not null
  /// @throws Error as ParameterLayout does
  explicit TransformedTarget(std::unique_ptr<Model> model);

  using Target::evaluate;
  LogDensity evaluate(std::span<const double> u, std::span<double> reference_gradient,
                      std::span<double> likelihood_gradient) override;
  bool has_gradient() const override { return model_->has_gradient(); }
  bool samples_reference() const override { return model_->samples_prior(); }
  bool normalised_reference() const override { return model_->normalised_prior(); }
  std::optional<std::string> improper_parameter() const override { return model_->improper_parameter(); }
  void sample_reference(RandomStream& stream, std::span<double> u) override;
  std::unique_ptr<Target> clone() const override;

  const Model& model() const { return *model_; }

 private:
  std::unique_ptr<Model> model_;
  std::vector<double> theta_;
  std::vector<double> theta_gradient_;
};

}  // namespace tempera
