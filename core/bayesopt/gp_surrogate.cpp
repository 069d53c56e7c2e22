#include "core/bayesopt/gp_surrogate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/base/contract.hpp"
#include "core/gaussian_process/posterior_path.hpp"

namespace tempera {

namespace {

/// Below it a standard deviation is rounding: relative to that of the prior.
constexpr double kLeastSd = 1e-8;

double least_sd(const ExactGp& process) {
  return kLeastSd * std::sqrt(process.model().kernel->variance(process.model().theta));
}

class GpCovariance final : public CrossCovariance {
 public:
  GpCovariance(const std::vector<ExactGp>& processes, const Eigen::MatrixXd& fixed)
      : processes_(processes), fixed_(fixed.transpose()) {
    for (const ExactGp& process : processes) solved_.push_back(process.solved_cross(fixed_));
  }
  void values(const Eigen::MatrixXd& points, Index draw, Eigen::MatrixXd& covariance) const override {
    const auto s = static_cast<std::size_t>(draw);
    processes_[s].predict_cross(points.transpose(), fixed_, solved_[s], covariance);
  }
  void with_gradient(std::span<const double> point, Index draw, Eigen::VectorXd& covariance,
                     Eigen::MatrixXd& gradient) const override {
    const auto s = static_cast<std::size_t>(draw);
    const Eigen::MatrixXd x = Eigen::Map<const Eigen::RowVectorXd>(point.data(), std::ssize(point));
    Eigen::MatrixXd row;
    processes_[s].predict_cross(x, fixed_, solved_[s], row);
    processes_[s].predict_cross_gradient(x, fixed_, solved_[s], gradient);
    covariance = row.transpose();
  }

 private:
  const std::vector<ExactGp>& processes_;
  Eigen::MatrixXd fixed_;  // p × features
  std::vector<Eigen::MatrixXd> solved_;
};

class Path final : public SamplePath {
 public:
  explicit Path(PosteriorPath path) : path_(std::move(path)) {}
  void values(const Eigen::MatrixXd& points, Eigen::VectorXd& values) const override {
    values = path_.values(points.transpose());
  }
  double value_with_gradient(std::span<const double> point, std::span<double> gradient) const override {
    const Eigen::MatrixXd row = Eigen::Map<const Eigen::RowVectorXd>(point.data(), std::ssize(point));
    return path_.value_with_gradient(row, Eigen::Map<Eigen::VectorXd>(gradient.data(), std::ssize(gradient)));
  }

 private:
  PosteriorPath path_;
};

}  // namespace

GpSurrogate::GpSurrogate(std::vector<ExactGp> draws) : processes_(std::move(draws)) {
  TEMPERA_EXPECTS(!processes_.empty());
  for (const ExactGp& process : processes_) best_.push_back(process.fitted().minCoeff());
}

void GpSurrogate::restrict_best(const std::vector<bool>& counts) {
  for (std::size_t s = 0; s < processes_.size(); ++s) {
    const Eigen::VectorXd fitted = processes_[s].fitted();
    best_[s] = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < static_cast<std::size_t>(fitted.size()); ++i)
      if (i >= counts.size() || counts[i]) best_[s] = std::min(best_[s], fitted[static_cast<Eigen::Index>(i)]);
  }
}

void GpSurrogate::predict(const Eigen::MatrixXd& points, Eigen::MatrixXd& mean, Eigen::MatrixXd& sd) const {
  const Eigen::MatrixXd rows = points.transpose();
  mean.resize(points.cols(), draws());
  sd.resize(points.cols(), draws());
  Eigen::VectorXd means, variances;
  for (std::size_t s = 0; s < processes_.size(); ++s) {
    processes_[s].predict(rows, means, variances);
    mean.col(static_cast<Eigen::Index>(s)) = means;
    sd.col(static_cast<Eigen::Index>(s)) = variances.array().sqrt().max(least_sd(processes_[s]));
  }
}

void GpSurrogate::predict_with_gradient(std::span<const double> point, Eigen::VectorXd& mean, Eigen::VectorXd& sd,
                                        Eigen::MatrixXd& mean_gradient, Eigen::MatrixXd& sd_gradient) const {
  const Eigen::Map<const Eigen::RowVectorXd> row(point.data(), std::ssize(point));
  const Eigen::MatrixXd x = row;
  mean.resize(draws());
  sd.resize(draws());
  mean_gradient.resize(features(), draws());
  sd_gradient.resize(features(), draws());
  for (Eigen::Index s = 0; s < draws(); ++s) {
    const ExactGp& process = processes_[static_cast<std::size_t>(s)];
    double variance = 0;
    process.predict_with_gradient(x, mean[s], variance, mean_gradient.col(s), sd_gradient.col(s));
    sd[s] = std::max(std::sqrt(variance), least_sd(process));
    sd_gradient.col(s) /= 2 * sd[s];
  }
}

void GpSurrogate::predict_jointly(const Eigen::MatrixXd& points, Index draw, Eigen::VectorXd& mean,
                                  Eigen::MatrixXd& covariance) const {
  processes_[static_cast<std::size_t>(draw)].predict_jointly(points.transpose(), mean, covariance);
}

std::unique_ptr<CrossCovariance> GpSurrogate::covariance_with(const Eigen::MatrixXd& fixed) const {
  return std::make_unique<GpCovariance>(processes_, fixed);
}

std::unique_ptr<SamplePath> GpSurrogate::sample_path(Index draw, RandomStream stream) const {
  auto path = PosteriorPath::draw(processes_[static_cast<std::size_t>(draw)], stream);
  return path ? std::make_unique<Path>(std::move(*path)) : nullptr;
}

}  // namespace tempera
