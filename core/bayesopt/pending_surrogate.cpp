#include "core/bayesopt/pending_surrogate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/bayesopt/sobol.hpp"

namespace tempera {

namespace {

constexpr double kLeastShare = 1e-12;  // of the variance: less is rounding
constexpr double kFirstJitter = 1e-10, kLastJitter = 1e-4;

constexpr std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

Eigen::LLT<Eigen::MatrixXd> factored(const Eigen::MatrixXd& covariance) {
  const double scale = std::max(covariance.diagonal().maxCoeff(), std::numeric_limits<double>::min());
  for (double jitter = kFirstJitter; jitter <= kLastJitter; jitter *= 10) {
    Eigen::MatrixXd padded = covariance;
    padded.diagonal().array() += jitter * scale;
    Eigen::LLT<Eigen::MatrixXd> factor(padded);
    if (factor.info() == Eigen::Success) return factor;
  }
  throw Error(Category::numerical, "", "the joint distribution at the pending points is not positive definite");
}

}  // namespace

PendingSurrogate::PendingSurrogate(const Surrogate& base, const Eigen::MatrixXd& pending, const PendingOptions& options)
    : base_(base),
      pending_(pending),
      outcomes_(options.outcome == PendingOutcome::fantasies ? options.fantasies : 1),
      cross_(base.covariance_with(pending)) {
  TEMPERA_EXPECTS(pending.rows() == base.features() && pending.cols() >= 1 && outcomes_ >= 1);
  TEMPERA_EXPECTS(options.noise_variance.empty() || std::ssize(options.noise_variance) == base.draws());
  Eigen::MatrixXd normals = Eigen::MatrixXd::Zero(pending.cols(), draws());
  if (options.outcome == PendingOutcome::fantasies)
    normals = ScrambledSobol(pending.cols(), options.seed, "bayesopt-fantasies", options.number).normals(0, draws());
  for (Index s = 0; s < base.draws(); ++s) {
    Eigen::VectorXd mean;
    Eigen::MatrixXd latent;
    base.predict_jointly(pending, s, mean, latent);
    Eigen::MatrixXd covariance = latent;
    if (!options.noise_variance.empty())
      covariance.diagonal().array() += options.noise_variance[static_cast<std::size_t>(s)];
    Conditioned given{factored(covariance), normals.middleCols(s * outcomes_, outcomes_)};
    if (options.outcome == PendingOutcome::liar)
      given.weights = given.factor.solve((base.best(s) - mean.array()).matrix());
    else
      given.factor.matrixU().solveInPlace(given.weights);
    const Eigen::MatrixXd fitted = (latent * given.weights).colwise() + mean;
    for (Index f = 0; f < outcomes_; ++f) best_.push_back(std::min(base.best(s), fitted.col(f).minCoeff()));
    conditioned_.push_back(std::move(given));
  }
}

void PendingSurrogate::predict(const Eigen::MatrixXd& points, Eigen::MatrixXd& mean, Eigen::MatrixXd& sd) const {
  Eigen::MatrixXd base_mean, base_sd, cross;
  base_.predict(points, base_mean, base_sd);
  mean.resize(points.cols(), draws());
  sd.resize(points.cols(), draws());
  for (Index s = 0; s < base_.draws(); ++s) {
    const Conditioned& given = conditioned(s);
    cross_->values(points, s, cross);
    mean.middleCols(s * outcomes_, outcomes_) = (cross * given.weights).colwise() + base_mean.col(s);
    const Eigen::MatrixXd solved = given.factor.matrixL().solve(cross.transpose());
    const Eigen::ArrayXd variance = base_sd.col(s).array().square();
    const Eigen::ArrayXd left = variance - solved.colwise().squaredNorm().transpose().array();
    sd.middleCols(s * outcomes_, outcomes_).colwise() = left.max(kLeastShare * variance).sqrt().matrix();
  }
}

void PendingSurrogate::predict_with_gradient(std::span<const double> point, Eigen::VectorXd& mean, Eigen::VectorXd& sd,
                                             Eigen::MatrixXd& mean_gradient, Eigen::MatrixXd& sd_gradient) const {
  GradientPredictions one;
  predict_with_gradients(Eigen::Map<const Eigen::VectorXd>(point.data(), std::ssize(point)), one);
  mean = one.mean.col(0);
  sd = one.sd.col(0);
  mean_gradient = std::move(one.mean_gradient.front());
  sd_gradient = std::move(one.sd_gradient.front());
}

void PendingSurrogate::predict_with_gradients(const Eigen::MatrixXd& points, GradientPredictions& predictions) const {
  GradientPredictions base;
  base_.predict_with_gradients(points, base);
  const Index count = points.cols();
  predictions.mean.resize(draws(), count);
  predictions.sd.resize(draws(), count);
  predictions.mean_gradient.assign(at(count), Eigen::MatrixXd(features(), draws()));
  predictions.sd_gradient = predictions.mean_gradient;
  Eigen::VectorXd cross;
  Eigen::MatrixXd cross_gradient;
  for (Index i = 0; i < count; ++i) {
    const std::span<const double> point(points.col(i).data(), at(points.rows()));
    for (Index s = 0; s < base_.draws(); ++s) {
      const Conditioned& given = conditioned(s);
      cross_->with_gradient(point, s, cross, cross_gradient);
      const Index first = s * outcomes_;
      predictions.mean.col(i).segment(first, outcomes_) = (given.weights.transpose() * cross).array() + base.mean(s, i);
      predictions.mean_gradient[at(i)].middleCols(first, outcomes_) =
          (cross_gradient * given.weights).colwise() + base.mean_gradient[at(i)].col(s);
      const Eigen::VectorXd solved = given.factor.solve(cross);
      const double variance = base.sd(s, i) * base.sd(s, i);
      const double left = std::sqrt(std::max(variance - cross.dot(solved), kLeastShare * variance));
      predictions.sd.col(i).segment(first, outcomes_).setConstant(left);
      predictions.sd_gradient[at(i)].middleCols(first, outcomes_).colwise() =
          (base.sd(s, i) * base.sd_gradient[at(i)].col(s) - cross_gradient * solved) / left;
    }
  }
}

void PendingSurrogate::predict_jointly(const Eigen::MatrixXd& points, Index draw, Eigen::VectorXd& mean,
                                       Eigen::MatrixXd& covariance) const {
  const Index s = draw / outcomes_;
  const Conditioned& given = conditioned(s);
  Eigen::MatrixXd cross;
  base_.predict_jointly(points, s, mean, covariance);
  cross_->values(points, s, cross);
  mean += cross * given.weights.col(draw % outcomes_);
  const Eigen::MatrixXd solved = given.factor.matrixL().solve(cross.transpose());
  covariance -= solved.transpose() * solved;
}

}  // namespace tempera
