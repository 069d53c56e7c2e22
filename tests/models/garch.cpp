#include <cmath>
#include <limits>

#include "core/sampling/detail/densities.hpp"
#include "tests/models/factories.hpp"
#include "tests/models/log_product.hpp"

namespace tempera::test {

namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

class Garch final : public Model {
 public:
  explicit Garch(JsonData& data)
      : y_(data.numbers("y", {data.integer("T", {.minimum = 1})})),
        first_variance_(std::pow(data.real("sigma1", {.minimum = 0, .minimum_excluded = true}), 2)),
        variance_(y_.size()),
        by_variance_(y_.size()) {}

  std::vector<ParameterBlock> parameters() const override {
    return {
        {"mu", {}, Transform::identity()}, {"alpha0", {}, Transform::lower(0)}, {"weights", {3}, Transform::simplex()}};
  }
  std::optional<std::string> improper_parameter() const override { return "mu"; }
  double log_prior(std::span<const double>, std::span<double> gradient) override {
    for (double& entry : gradient) entry = 0;
    return 0;
  }
  double log_likelihood(std::span<const double> theta, std::span<double> gradient) override;
  bool has_gradient() const override { return true; }
  std::unique_ptr<Model> clone() const override { return std::make_unique<Garch>(*this); }

 private:
  void differentiate(std::span<const double> theta, std::span<double> gradient) const;

  std::vector<double> y_;
  double first_variance_;
  std::vector<double> variance_;     // scratch: s_t²
  std::vector<double> by_variance_;  // scratch: partial derivative of the log density of y_t by s_t²
};

double Garch::log_likelihood(std::span<const double> theta, std::span<double> gradient) {
  for (double& entry : gradient) entry = 0;
  const double mu = theta[0], alpha0 = theta[1], alpha1 = theta[2], beta1 = theta[3];
  LogProduct variances;
  double squares = 0;
  double variance = first_variance_;
  for (std::size_t t = 0; t < y_.size(); ++t) {
    const double distance = y_[t] - mu;
    const double square = distance * distance;
    const double precision = 1 / variance;
    variance_[t] = variance;
    by_variance_[t] = 0.5 * precision * (square * precision - 1);
    squares += square * precision;
    variances.multiply(variance);
    variance = alpha0 + alpha1 * square + beta1 * variance;
  }
  const double log_density = -0.5 * (static_cast<double>(y_.size()) * detail::kLogTwoPi + squares + variances.log());
  if (!(log_density > kMinusInfinity)) return kMinusInfinity;
  if (!gradient.empty()) differentiate(theta, gradient);
  return log_density;
}

/// Backwards: the derivative of all that comes by s_t² is its own one + beta1 times that by s_{t+1}².
void Garch::differentiate(std::span<const double> theta, std::span<double> gradient) const {
  const double mu = theta[0], alpha1 = theta[2], beta1 = theta[3];
  double by_mu = 0, by_alpha0 = 0, by_alpha1 = 0, by_beta1 = 0;
  double later = 0;  // derivative by s_{t+1}²
  for (std::size_t t = y_.size(); t-- > 0;) {
    const double distance = y_[t] - mu;
    by_alpha0 += later;
    by_alpha1 += later * distance * distance;
    by_beta1 += later * variance_[t];
    by_mu += distance / variance_[t] - 2 * later * alpha1 * distance;
    later = by_variance_[t] + beta1 * later;
  }
  gradient[0] = by_mu;
  gradient[1] = by_alpha0;
  gradient[2] = by_alpha1;
  gradient[3] = by_beta1;
}

}  // namespace

std::unique_ptr<Model> make_garch(JsonData& data) {
  return std::make_unique<Garch>(data);
}

}  // namespace tempera::test
