#include "core/sampling/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"

namespace tempera {

namespace {

/// A draw that is rounded to the boundary is repeated; a sound prior hardly ever needs a second one.
constexpr int kAttempts = 100;

}  // namespace

void Model::sample_prior(RandomStream&, std::span<double>) {
  throw Error(Category::usage, "", "the prior of this model cannot be sampled",
              "a Gaussian or variational reference needs no draws from the prior");
}

TransformedTarget::TransformedTarget(std::unique_ptr<Model> model)
    : Target(model->parameters()),
      model_(std::move(model)),
      theta_(static_cast<std::size_t>(constrained_size())),
      theta_gradient_(model_->has_gradient() ? theta_.size() : 0) {}

LogDensity TransformedTarget::evaluate(std::span<const double> u, std::span<double> reference_gradient,
                                       std::span<double> likelihood_gradient) {
  TEMPERA_EXPECTS(reference_gradient.empty() == likelihood_gradient.empty());
  TEMPERA_EXPECTS(reference_gradient.empty() || has_gradient());
  const bool wanted = !reference_gradient.empty();
  const std::span<double> theta_gradient = wanted ? std::span<double>(theta_gradient_) : std::span<double>();
  LogDensity density;
  density.reference = layout().constrain(u, theta_);
  density.reference += model_->log_prior(theta_, theta_gradient);
  if (density.reference == -std::numeric_limits<double>::infinity()) {  // a likelihood may not be defined there
    std::fill(reference_gradient.begin(), reference_gradient.end(), 0.0);
    std::fill(likelihood_gradient.begin(), likelihood_gradient.end(), 0.0);
    return density;
  }
  if (wanted) {
    layout().pull_back(u, theta_, theta_gradient, reference_gradient);
    layout().add_jacobian_gradient(u, theta_, reference_gradient);
  }
  density.likelihood = model_->log_likelihood(theta_, theta_gradient);
  if (wanted) layout().pull_back(u, theta_, theta_gradient, likelihood_gradient);
  return density;
}

void TransformedTarget::sample_reference(RandomStream& stream, std::span<double> u) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    model_->sample_prior(stream, theta_);
    if (layout().unconstrain_draw(theta_, stream, u)) return;
  }
  throw Error(Category::numerical, "",
              fmt::format("{} draws of the prior lie on the boundary of its support", kAttempts),
              "spread the prior, or use a Gaussian or variational reference");
}

std::unique_ptr<Target> TransformedTarget::clone() const {
  return std::make_unique<TransformedTarget>(model_->clone());
}

}  // namespace tempera
