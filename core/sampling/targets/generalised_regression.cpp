#include "core/sampling/targets/generalised_regression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/base/error.hpp"
#include "core/base/option_schema.hpp"
#include "core/sampling/detail/densities.hpp"

namespace tempera {

namespace {

bool is_possible(ResponseFamily family, double y) {
  switch (family) {
    case ResponseFamily::gaussian: return std::isfinite(y);
    case ResponseFamily::bernoulli: return y == 0 || y == 1;
    case ResponseFamily::poisson: return std::isfinite(y) && y >= 0 && y == std::floor(y);
  }
  return false;
}

double half_cauchy_draw(RandomStream& stream, double scale) {
  return scale * std::tan(0.5 * std::numbers::pi * stream.uniform_open());
}

void check(const RegressionData& data, ResponseFamily family, CoefficientPrior prior) {
  const auto columns = static_cast<std::size_t>(std::max<Index>(data.predictors, 0));
  if (columns < 1 || data.y.empty() || data.x.size() != data.y.size() * columns)
    throw Error(Category::shape, "",
                fmt::format("{} responses and {} predictors need {} entries of x, not {}", data.y.size(), columns,
                            data.y.size() * columns, data.x.size()));
  if (prior == CoefficientPrior::horseshoe && columns < 2)
    throw Error(Category::shape, "", "a horseshoe prior needs a predictor besides the intercept");
  for (std::size_t i = 0; i < data.x.size(); ++i)
    if (!std::isfinite(data.x[i]))
      throw Error(Category::input, "",
                  fmt::format("predictor {} of row {} is {}", i % columns, i / columns, data.x[i]));
  for (std::size_t i = 0; i < data.y.size(); ++i)
    if (!is_possible(family, data.y[i]))
      throw Error(Category::input, "",
                  fmt::format("response {} of row {} cannot be: {} expected", data.y[i], i,
                              family == ResponseFamily::gaussian    ? "a number"
                              : family == ResponseFamily::bernoulli ? "0 or 1"
                                                                    : "a count"));
}

}  // namespace

template <ResponseFamily family>
void GeneralisedRegressionOptions<family>::declare(OptionSchema& schema) {
  schema.group(kSimulatedData);
  schema.integer("observations", observations).minimum(1).maximum(1e8).help("rows of the simulated table");
  schema.integer("predictors", predictors).minimum(1).maximum(1e4).help("columns, that of ones included");
  schema.integer("seed", seed).minimum(0).help("seed of the table");
  schema.group(kModel);
  schema.choice("prior", prior, {"normal", "horseshoe"}).help("prior of the coefficients");
  schema.real("scale", scale).above(0).help("prior standard deviation of coefficients; scale of the noise");
}

template struct GeneralisedRegressionOptions<ResponseFamily::gaussian>;
template struct GeneralisedRegressionOptions<ResponseFamily::bernoulli>;
template struct GeneralisedRegressionOptions<ResponseFamily::poisson>;

GeneralisedRegressionModel::GeneralisedRegressionModel(RegressionData data, ResponseFamily family,
                                                       CoefficientPrior prior, double scale)
    : data_(std::move(data)),
      family_(family),
      prior_(prior),
      scale_(scale),
      predictors_(static_cast<std::size_t>(data_.predictors)) {
  check(data_, family, prior);
  coefficients_.resize(predictors_);
  linear_.resize(data_.y.size());
  if (family == ResponseFamily::gaussian) constants_ = -0.5 * detail::kLogTwoPi * static_cast<double>(data_.y.size());
  if (family == ResponseFamily::poisson)
    for (const double y : data_.y) constants_ -= detail::log_gamma(y + 1);
}

std::vector<ParameterBlock> GeneralisedRegressionModel::parameters() const {
  std::vector<ParameterBlock> blocks;
  if (prior_ == CoefficientPrior::normal) {
    blocks = {{"beta", {static_cast<Index>(predictors_)}, Transform::identity()}};
  } else {
    const auto count = static_cast<Index>(others());
    blocks = {{"intercept", {}, Transform::identity()},
              {"z", {count}, Transform::identity()},
              {"lambda", {count}, Transform::lower(0)},
              {"tau", {}, Transform::lower(0)}};
  }
  if (family_ == ResponseFamily::gaussian) blocks.push_back({"sigma", {}, Transform::lower(0)});
  return blocks;
}

double GeneralisedRegressionModel::log_prior(std::span<const double> theta, std::span<double> gradient) {
  double log_density = 0;
  std::size_t next = 0;
  const auto normals = [&](std::size_t count, double sd) {
    const auto values = theta.subspan(next, count);
    if (!gradient.empty())
      for (std::size_t j = 0; j < count; ++j) gradient[next + j] = -values[j] / (sd * sd);
    log_density -= 0.5 * detail::squared_norm(values) / (sd * sd) +
                   static_cast<double>(count) * (0.5 * detail::kLogTwoPi + std::log(sd));
    next += count;
  };
  const auto half_cauchys = [&](std::size_t count, double scale) {
    for (std::size_t j = 0; j < count; ++j, ++next) {
      log_density += detail::log_half_cauchy(theta[next], scale);
      if (!gradient.empty()) gradient[next] = detail::log_half_cauchy_slope(theta[next], scale);
    }
  };
  if (prior_ == CoefficientPrior::normal) {
    normals(predictors_, scale_);
  } else {
    normals(1, scale_);
    normals(others(), 1);
    half_cauchys(others() + 1, 1);
  }
  if (family_ == ResponseFamily::gaussian) half_cauchys(1, scale_);
  return log_density;
}

void GeneralisedRegressionModel::assemble(std::span<const double> theta) {
  if (prior_ == CoefficientPrior::normal) {
    std::copy_n(theta.begin(), predictors_, coefficients_.begin());
    return;
  }
  const double tau = theta[1 + 2 * others()];
  coefficients_[0] = theta[0];
  for (std::size_t j = 0; j < others(); ++j) coefficients_[1 + j] = theta[1 + j] * theta[1 + others() + j] * tau;
}

double GeneralisedRegressionModel::responses(double sigma) {
  const std::vector<double>& y = data_.y;
  double total = 0;
  switch (family_) {
    case ResponseFamily::gaussian:
      for (std::size_t i = 0; i < y.size(); ++i) {
        const double residual = y[i] - linear_[i];
        total += residual * residual;
        linear_[i] = residual / (sigma * sigma);
      }
      squares_ = total;
      return -0.5 * total / (sigma * sigma) - static_cast<double>(y.size()) * std::log(sigma);
    case ResponseFamily::bernoulli: {
      detail::LogProduct product;
      for (std::size_t i = 0; i < y.size(); ++i) {
        const double linear = linear_[i];
        const double e = std::exp(-std::abs(linear));
        total += y[i] * linear - std::max(linear, 0.0);  // − log(1 + e^linear), its last part below
        product.multiply(1 + e);
        linear_[i] = y[i] - (linear >= 0 ? 1.0 : e) / (1 + e);
      }
      return total - product.log();
    }
    case ResponseFamily::poisson:
      for (std::size_t i = 0; i < y.size(); ++i) {
        const double mean = std::exp(linear_[i]);
        total += y[i] * linear_[i] - mean;
        linear_[i] = y[i] - mean;
      }
      return total;
  }
  return 0;
}

void GeneralisedRegressionModel::spread(std::span<const double> theta, std::span<double> gradient) const {
  if (prior_ == CoefficientPrior::normal) {
    std::copy(coefficients_.begin(), coefficients_.end(), gradient.begin());
    return;
  }
  const double tau = theta[1 + 2 * others()];
  double by_tau = 0;
  gradient[0] = coefficients_[0];
  for (std::size_t j = 0; j < others(); ++j) {
    const double slope = coefficients_[1 + j];
    const double z = theta[1 + j];
    const double lambda = theta[1 + others() + j];
    gradient[1 + j] = slope * lambda * tau;
    gradient[1 + others() + j] = slope * z * tau;
    by_tau += slope * z * lambda;
  }
  gradient[1 + 2 * others()] = by_tau;
}

double GeneralisedRegressionModel::log_likelihood(std::span<const double> theta, std::span<double> gradient) {
  assemble(theta);
  const double sigma = theta.back();  // of the Gaussian family
  if (family_ == ResponseFamily::gaussian && sigma <= 0) return -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < linear_.size(); ++i) {
    const double* row = data_.x.data() + i * predictors_;
    double sum = 0;
    for (std::size_t j = 0; j < predictors_; ++j) sum += row[j] * coefficients_[j];
    linear_[i] = sum;
  }
  const double log_density = constants_ + responses(sigma);
  if (std::isnan(log_density)) return -std::numeric_limits<double>::infinity();  // the table is finite: β overflowed
  if (gradient.empty()) return log_density;
  std::fill(coefficients_.begin(), coefficients_.end(), 0.0);
  for (std::size_t i = 0; i < linear_.size(); ++i) {
    const double* row = data_.x.data() + i * predictors_;
    for (std::size_t j = 0; j < predictors_; ++j) coefficients_[j] += linear_[i] * row[j];
  }
  spread(theta, gradient);
  if (family_ == ResponseFamily::gaussian)
    gradient.back() = (squares_ / (sigma * sigma) - static_cast<double>(data_.y.size())) / sigma;
  return log_density;
}

void GeneralisedRegressionModel::sample_prior(RandomStream& stream, std::span<double> theta) {
  std::size_t next = 0;
  const bool normal = prior_ == CoefficientPrior::normal;
  for (std::size_t j = 0; j < predictors_; ++j) theta[next++] = (normal || j == 0 ? scale_ : 1.0) * stream.normal();
  for (std::size_t j = 0; !normal && j < others() + 1; ++j) theta[next++] = half_cauchy_draw(stream, 1);
  if (family_ == ResponseFamily::gaussian) theta[next] = half_cauchy_draw(stream, scale_);
}

}  // namespace tempera
