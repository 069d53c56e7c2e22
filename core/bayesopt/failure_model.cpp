#include "core/bayesopt/failure_model.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/random_stream.hpp"

namespace tempera {

namespace {

constexpr Index kAlwaysBelow = 40;
constexpr double kMore = 1.15;
constexpr double kLeastSd = 1e-8;
/// Failing mostly has a cause: a few points from an edge it is sure, on both sides.
constexpr LogNormal kLengthScale{-0.9162907318741551, 0.7};  // log 0.4
constexpr LogNormal kAmplitude{2.302585092994046, 0.7};  // log 10

/// The last number of trials at which hyperparameters are found.
Index size_of_last_fit(Index count) {
  if (count < kAlwaysBelow) return count;
  Index size = kAlwaysBelow;
  while (true) {
    const auto next = static_cast<Index>(std::ceil(kMore * static_cast<double>(size)));
    if (next > count) return size;
    size = next;
  }
}

}  // namespace

void FailureSurrogate::predict(const Eigen::MatrixXd& points, Eigen::MatrixXd& mean, Eigen::MatrixXd& sd) const {
  Eigen::VectorXd means, variances;
  classifier_.predict(points.transpose(), means, variances);
  mean = means;
  sd = variances.array().sqrt().max(kLeastSd);
}

void FailureSurrogate::predict_with_gradient(std::span<const double> point, Eigen::VectorXd& mean, Eigen::VectorXd& sd,
                                             Eigen::MatrixXd& mean_gradient, Eigen::MatrixXd& sd_gradient) const {
  const Eigen::MatrixXd row = Eigen::Map<const Eigen::RowVectorXd>(point.data(), std::ssize(point));
  mean.resize(1);
  sd.resize(1);
  mean_gradient.resize(features(), 1);
  sd_gradient.resize(features(), 1);
  double variance = 0;
  classifier_.predict_with_gradient(row, mean[0], variance, mean_gradient.col(0), sd_gradient.col(0));
  sd[0] = std::max(std::sqrt(variance), kLeastSd);
  sd_gradient /= 2 * sd[0];
}

void FailureSurrogate::predict_jointly(const Eigen::MatrixXd& points, Index, Eigen::VectorXd& mean,
                                       Eigen::MatrixXd& covariance) const {
  classifier_.predict_jointly(points.transpose(), mean, covariance);
}

FailureModel::FailureModel(const Space& space, KernelShape shape, std::uint64_t seed)
    : kernel_(kernel_of(space, shape)), seed_(seed) {}

FailureSurrogate FailureModel::follow(const Eigen::MatrixXd& points, const std::vector<double>& failed) {
  const Index size = size_of_last_fit(points.rows());
  const std::span<const double> first(failed.data(), static_cast<std::size_t>(size));
  const bool known = model_ && points_.rows() == size && points_ == points.topRows(size) &&
                     std::equal(failed_.begin(), failed_.end(), first.begin());
  if (!known) {
    points_ = points.topRows(size);
    failed_.assign(first.begin(), first.end());
    GpPriors priors;
    priors.length_scale = kLengthScale;
    priors.amplitude = kAmplitude;
    priors.fixed_noise = 0;
    ProbitPosterior posterior(kernel_, priors, points_, Eigen::Map<const Eigen::VectorXd>(failed_.data(), size));
    HyperFitOptions search;
    search.method = HyperMethod::map;
    search.starts = 1;
    const HyperFit fit =
        fit_hyperparameters(posterior, search, RandomStream(seed_, "gp-fit-failing", {size}).next_u64());
    model_ = posterior.model(fit.mode);
    sites_ = ProbitClassifier(*model_, points_, posterior.values()).sites();
  }
  ProbitClassifier::Sites start{Eigen::VectorXd::Zero(points.rows()), Eigen::VectorXd::Zero(points.rows())};
  start.precision.head(size) = sites_.precision;
  start.shift.head(size) = sites_.shift;
  return FailureSurrogate(
      ProbitClassifier(*model_, points, Eigen::Map<const Eigen::VectorXd>(failed.data(), points.rows()), start));
}

}  // namespace tempera
