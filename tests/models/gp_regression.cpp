#include <algorithm>
#include <cmath>
#include <limits>

#include "core/sampling/detail/densities.hpp"
#include "core/sampling/detail/stable.hpp"
#include "tests/models/factories.hpp"
#include "tests/models/half_line.hpp"
#include "tests/models/log_product.hpp"

namespace tempera::test {

namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();
constexpr double kRhoShape = 25, kRhoRate = 4;
constexpr double kAlphaSd = 2, kSigmaSd = 1;

class GpRegression final : public Model {
 public:
  explicit GpRegression(JsonData& data);

  std::vector<ParameterBlock> parameters() const override {
    return {{"rho", {}, Transform::lower(0)}, {"alpha", {}, Transform::lower(0)}, {"sigma", {}, Transform::lower(0)}};
  }
  double log_prior(std::span<const double> theta, std::span<double> gradient) override;
  double log_likelihood(std::span<const double> theta, std::span<double> gradient) override;
  bool has_gradient() const override { return true; }
  bool samples_prior() const override { return true; }
  bool normalised_prior() const override { return true; }
  void sample_prior(RandomStream& stream, std::span<double> theta) override {
    theta[0] = stream.gamma(kRhoShape, 1 / kRhoRate);
    theta[1] = positive_normal_draw(stream, 0, kAlphaSd);
    theta[2] = positive_normal_draw(stream, 0, kSigmaSd);
  }
  std::unique_ptr<Model> clone() const override { return std::make_unique<GpRegression>(*this); }

 private:
  /// Cholesky factor of the covariance into factor_, its inverse diagonal into roots_; false if it is not positive.
  bool factorise(std::span<const double> theta);
  /// L⁻¹ into inverse_.
  void invert();
  void differentiate(std::span<const double> theta, std::span<double> gradient);

  std::size_t size_;
  std::vector<double> y_;
  std::vector<double> distances_;         // the different (x_i − x_j)²/2, 0 first
  std::vector<std::size_t> distance_of_;  // size × size: which of them
  double constant_;                       // of the prior
  std::vector<double> correlations_;      // scratch: exp(−distance/rho²)
  std::vector<double> sums_;              // scratch: derivative by the covariance, summed over pairs of one distance
  std::vector<double> factor_, inverse_, roots_, white_, weights_;  // scratch
};

GpRegression::GpRegression(JsonData& data)
    : size_(static_cast<std::size_t>(data.integer("N", {.minimum = 1}))),
      y_(data.numbers("y", {static_cast<Index>(size_)})),
      constant_(kRhoShape * std::log(kRhoRate) - detail::log_gamma(kRhoShape) + 2 * std::log(2.0) - detail::kLogTwoPi -
                std::log(kAlphaSd * kSigmaSd)) {
  const std::vector<double> x = data.numbers("x", {static_cast<Index>(size_)});
  distances_.push_back(0);
  for (std::size_t i = 0; i < size_; ++i)
    for (std::size_t j = 0; j < size_; ++j) {
      const double distance = 0.5 * (x[i] - x[j]) * (x[i] - x[j]);
      const auto found = std::find(distances_.begin(), distances_.end(), distance);
      distance_of_.push_back(static_cast<std::size_t>(found - distances_.begin()));
      if (found == distances_.end()) distances_.push_back(distance);
    }
  correlations_.resize(distances_.size());
  sums_.resize(distances_.size());
  factor_.resize(size_ * size_);
  inverse_.resize(size_ * size_);
  roots_.resize(size_);
  white_.resize(size_);
  weights_.resize(size_);
}

double GpRegression::log_prior(std::span<const double> theta, std::span<double> gradient) {
  const double rho = theta[0], alpha = theta[1], sigma = theta[2];
  if (!gradient.empty()) {
    gradient[0] = (kRhoShape - 1) / rho - kRhoRate;
    gradient[1] = -alpha / (kAlphaSd * kAlphaSd);
    gradient[2] = -sigma / (kSigmaSd * kSigmaSd);
  }
  return constant_ + (kRhoShape - 1) * std::log(rho) - kRhoRate * rho -
         0.5 * (alpha * alpha / (kAlphaSd * kAlphaSd) + sigma * sigma / (kSigmaSd * kSigmaSd));
}

bool GpRegression::factorise(std::span<const double> theta) {
  const double precision = 1 / (theta[0] * theta[0]), variance = theta[1] * theta[1];
  correlations_[0] = 1;
  for (std::size_t k = 1; k < distances_.size(); ++k) correlations_[k] = std::exp(-distances_[k] * precision);
  for (std::size_t i = 0; i < size_; ++i) {
    double* row = factor_.data() + i * size_;
    const std::size_t* distance = distance_of_.data() + i * size_;
    for (std::size_t j = 0; j < i; ++j) {
      const double* other = factor_.data() + j * size_;
      double sum = variance * correlations_[distance[j]];
      for (std::size_t k = 0; k < j; ++k) sum -= row[k] * other[k];
      row[j] = sum * roots_[j];
    }
    double pivot = variance + theta[2];
    for (std::size_t k = 0; k < i; ++k) pivot -= row[k] * row[k];
    if (!(pivot > 0)) return false;
    row[i] = std::sqrt(pivot);
    roots_[i] = 1 / row[i];
  }
  return true;
}

void GpRegression::invert() {
  for (std::size_t i = 0; i < size_; ++i) {
    const double* row = factor_.data() + i * size_;
    double* result = inverse_.data() + i * size_;
    std::fill(result, result + i, 0.0);
    for (std::size_t k = 0; k < i; ++k) {
      const double* above = inverse_.data() + k * size_;
      for (std::size_t j = 0; j <= k; ++j) result[j] -= row[k] * above[j];
    }
    for (std::size_t j = 0; j < i; ++j) result[j] *= roots_[i];
    result[i] = roots_[i];
  }
}

/// ∂/∂K = ½ (w wᵀ − K⁻¹) with w = K⁻¹ y, gathered by distance.
void GpRegression::differentiate(std::span<const double> theta, std::span<double> gradient) {
  invert();
  std::fill(weights_.begin(), weights_.end(), 0.0);
  for (std::size_t i = 0; i < size_; ++i)
    for (std::size_t j = 0; j <= i; ++j) weights_[j] += inverse_[i * size_ + j] * white_[i];
  // K⁻¹ = L⁻ᵀ L⁻¹ takes the place of the factor, whose rows are no longer needed (lower triangle)
  std::fill(factor_.begin(), factor_.end(), 0.0);
  for (std::size_t k = 0; k < size_; ++k) {
    const double* row = inverse_.data() + k * size_;
    for (std::size_t i = 0; i <= k; ++i)
      for (std::size_t j = 0; j <= i; ++j) factor_[i * size_ + j] += row[i] * row[j];
  }
  std::fill(sums_.begin(), sums_.end(), 0.0);
  double diagonal = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    for (std::size_t j = 0; j < i; ++j)
      sums_[distance_of_[i * size_ + j]] += weights_[i] * weights_[j] - factor_[i * size_ + j];
    diagonal += 0.5 * (weights_[i] * weights_[i] - factor_[i * size_ + i]);
  }
  const double rho = theta[0], alpha = theta[1];
  double by_variance = diagonal, by_rho = 0;
  for (std::size_t k = 0; k < sums_.size(); ++k) {
    const double part = sums_[k] * correlations_[k];
    by_variance += part;
    if (part != 0) by_rho += part * (distances_[k] / (rho * rho));
  }
  gradient[0] = 2 * alpha * alpha * by_rho / rho;
  gradient[1] = 2 * alpha * by_variance;
  gradient[2] = diagonal;
}

double GpRegression::log_likelihood(std::span<const double> theta, std::span<double> gradient) {
  for (double& entry : gradient) entry = 0;
  if (!factorise(theta)) return kMinusInfinity;
  double squares = 0;
  LogProduct roots;  // of the determinant
  for (std::size_t i = 0; i < size_; ++i) {
    const double* row = factor_.data() + i * size_;
    double sum = y_[i];
    for (std::size_t k = 0; k < i; ++k) sum -= row[k] * white_[k];
    white_[i] = sum * roots_[i];
    squares += white_[i] * white_[i];
    roots.multiply(row[i]);
  }
  const double log_density = -0.5 * (squares + static_cast<double>(size_) * detail::kLogTwoPi) - roots.log();
  if (!(log_density > kMinusInfinity)) return kMinusInfinity;
  if (!gradient.empty()) differentiate(theta, gradient);
  return log_density;
}

}  // namespace

std::unique_ptr<Model> make_gp_regression(JsonData& data) {
  return std::make_unique<GpRegression>(data);
}

}  // namespace tempera::test
