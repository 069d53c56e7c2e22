#include "core/sampling/targets/linear_regression.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <cmath>
#include <limits>

#include "core/base/error.hpp"
#include "core/base/option_schema.hpp"
#include "core/sampling/detail/densities.hpp"

namespace tempera {

namespace {

constexpr double kSpread = 10;  // prior standard deviation of β in units of the noise
constexpr double kShape = 2;
constexpr double kScale = 2;

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace

void LinearRegressionOptions::declare(OptionSchema& schema) {
  schema.group(kSimulatedData);
  schema.integer("observations", observations).minimum(1).maximum(1e8).help("rows of the simulated table");
  schema.integer("predictors", predictors).minimum(1).maximum(1e4).help("columns, that of ones included");
  schema.integer("seed", seed).minimum(0).help("seed of the table");
}

LinearRegressionModel::LinearRegressionModel(const LinearRegressionOptions& options)
    : LinearRegressionModel(simulated_regression(ResponseFamily::gaussian, options.observations, options.predictors,
                                                 static_cast<std::uint64_t>(options.seed))) {}

LinearRegressionModel::LinearRegressionModel(const LinearRegressionOptions&, JsonData& data)
    : LinearRegressionModel(read_regression(ResponseFamily::gaussian, data)) {}

LinearRegressionModel::LinearRegressionModel(const RegressionData& data)
    : predictors_(static_cast<std::size_t>(data.predictors)), observations_(static_cast<double>(data.observations())) {
  if (data.predictors < 1 || data.y.empty() || data.x.size() != data.y.size() * predictors_)
    throw Error(Category::shape, "",
                fmt::format("{} responses and {} predictors need {} entries of x, not {}", data.y.size(),
                            data.predictors, data.y.size() * predictors_, data.x.size()));
  const Eigen::Map<const Matrix> x(data.x.data(), data.observations(), data.predictors);
  const Eigen::Map<const Eigen::VectorXd> y(data.y.data(), data.observations());
  const Matrix gram = x.transpose() * x;
  const Eigen::VectorXd fit = x.colPivHouseholderQr().solve(y);
  gram_.assign(gram.data(), gram.data() + gram.size());
  fit_.assign(fit.data(), fit.data() + fit.size());
  residual_ = (y - x * fit).squaredNorm();
  if (!gram.allFinite() || !std::isfinite(residual_))
    throw Error(Category::input, "", "squares of the predictors or responses overflow", "use other units");
  distance_.resize(predictors_);
}

std::vector<ParameterBlock> LinearRegressionModel::parameters() const {
  return {{"beta", {static_cast<Index>(predictors_)}, Transform::identity()}, {"variance", {}, Transform::lower(0)}};
}

double LinearRegressionModel::log_prior(std::span<const double> theta, std::span<double> gradient) {
  const double count = static_cast<double>(predictors_);
  const double variance = theta[predictors_];
  if (variance <= 0) return -std::numeric_limits<double>::infinity();  // rounded to the boundary
  const double precision = 1 / (kSpread * kSpread * variance);
  const double norm = detail::squared_norm(theta.first(predictors_));
  const double scaled = norm > 0 ? precision * norm : 0;
  if (!gradient.empty()) {
    for (std::size_t j = 0; j < predictors_; ++j) gradient[j] = -precision * theta[j];
    gradient[predictors_] = (0.5 * (scaled - count) - kShape - 1 + kScale / variance) / variance;
  }
  return -0.5 * (scaled + count * (detail::kLogTwoPi + std::log(kSpread * kSpread * variance))) +
         kShape * std::log(kScale) - detail::log_gamma(kShape) - (kShape + 1) * std::log(variance) - kScale / variance;
}

double LinearRegressionModel::log_likelihood(std::span<const double> theta, std::span<double> gradient) {
  const double variance = theta[predictors_];
  for (std::size_t j = 0; j < predictors_; ++j) distance_[j] = theta[j] - fit_[j];
  // ‖y − Xβ‖² = ‖y − X fit‖² + (β − fit)ᵀ XᵀX (β − fit), a sum without cancellation
  double quadratic = 0;
  for (std::size_t j = 0; j < predictors_; ++j) {
    const double* row = gram_.data() + j * predictors_;
    double product = 0;
    for (std::size_t k = 0; k < predictors_; ++k) product += row[k] * distance_[k];
    quadratic += distance_[j] * product;
    if (!gradient.empty()) gradient[j] = -product / variance;
  }
  const double squares = residual_ + quadratic;
  if (!gradient.empty()) gradient[predictors_] = 0.5 * (squares / variance - observations_) / variance;
  return -0.5 * (observations_ * (detail::kLogTwoPi + std::log(variance)) + squares / variance);
}

void LinearRegressionModel::sample_prior(RandomStream& stream, std::span<double> theta) {
  theta[predictors_] = kScale / stream.gamma(kShape);
  const double sd = kSpread * std::sqrt(theta[predictors_]);
  for (std::size_t j = 0; j < predictors_; ++j) theta[j] = sd * stream.normal();
}

double LinearRegressionModel::log_evidence() const {
  const auto size = static_cast<Eigen::Index>(predictors_);
  const Eigen::Map<const Matrix> gram(gram_.data(), size, size);
  const Eigen::Map<const Eigen::VectorXd> fit(fit_.data(), size);
  const double prior_precision = 1 / (kSpread * kSpread);
  const Eigen::LLT<Eigen::MatrixXd> factor(gram + prior_precision * Eigen::MatrixXd::Identity(size, size));
  const Eigen::VectorXd mean = factor.solve(gram * fit);
  // Least penalised sum of squares: residual + (fit − mean)ᵀ gram (fit − mean) + prior_precision ‖mean‖²
  const Eigen::VectorXd shrinkage = fit - mean;
  const double squares = residual_ + shrinkage.dot(gram * shrinkage) + prior_precision * mean.squaredNorm();
  const double log_root = factor.matrixLLT().diagonal().array().log().sum();  // ½ log det of the posterior precision
  const double shape = kShape + observations_ / 2;
  return -0.5 * observations_ * detail::kLogTwoPi + 0.5 * static_cast<double>(predictors_) * std::log(prior_precision) -
         log_root + kShape * std::log(kScale) - shape * std::log(kScale + squares / 2) + detail::log_gamma(shape) -
         detail::log_gamma(kShape);
}

}  // namespace tempera
