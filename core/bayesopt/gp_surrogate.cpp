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

double least_sd(const GaussianProcess& process) {
  return kLeastSd * std::sqrt(process.model().kernel->variance(process.model().theta));
}

class GpCovariance final : public CrossCovariance {
 public:
  GpCovariance(std::vector<GpSurrogate::Process> processes, const Eigen::MatrixXd& fixed)
      : processes_(std::move(processes)), fixed_(fixed.transpose()) {
    for (const auto& process : processes_) solved_.push_back(process->solved_cross(fixed_));
  }
  void values(const Eigen::MatrixXd& points, Index draw, Eigen::MatrixXd& covariance) const override {
    const auto s = static_cast<std::size_t>(draw);
    processes_[s]->predict_cross(points.transpose(), fixed_, solved_[s], covariance);
  }
  void with_gradient(std::span<const double> point, Index draw, Eigen::VectorXd& covariance,
                     Eigen::MatrixXd& gradient) const override {
    const auto s = static_cast<std::size_t>(draw);
    const Eigen::MatrixXd x = Eigen::Map<const Eigen::RowVectorXd>(point.data(), std::ssize(point));
    Eigen::MatrixXd row;
    processes_[s]->predict_cross(x, fixed_, solved_[s], row);
    processes_[s]->predict_cross_gradient(x, fixed_, solved_[s], gradient);
    covariance = row.transpose();
  }

 private:
  std::vector<GpSurrogate::Process> processes_;
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

GpSurrogate::GpSurrogate(std::vector<Process> draws) : processes_(std::move(draws)) {
  TEMPERA_EXPECTS(!processes_.empty());
  for (const Process& process : processes_) best_.push_back(process->fitted().minCoeff());
}

GpSurrogate::GpSurrogate(std::vector<ExactGp> draws)
    : GpSurrogate([&] {
        std::vector<Process> shared;
        for (ExactGp& process : draws) shared.push_back(std::make_shared<ExactGp>(std::move(process)));
        return shared;
      }()) {}

void GpSurrogate::restrict_best(const std::vector<bool>& counts) {
  for (std::size_t s = 0; s < processes_.size(); ++s) {
    const Eigen::VectorXd fitted = processes_[s]->fitted();
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
  for (Index s = 0; s < draws(); ++s) {
    process(s).predict(rows, means, variances);
    mean.col(s) = means;
    sd.col(s) = variances.array().sqrt().max(least_sd(process(s)));
  }
}

void GpSurrogate::predict_with_gradient(std::span<const double> point, Eigen::VectorXd& mean, Eigen::VectorXd& sd,
                                        Eigen::MatrixXd& mean_gradient, Eigen::MatrixXd& sd_gradient) const {
  GradientPredictions at;
  predict_with_gradients(Eigen::Map<const Eigen::VectorXd>(point.data(), std::ssize(point)), at);
  mean = at.mean.col(0);
  sd = at.sd.col(0);
  mean_gradient = std::move(at.mean_gradient.front());
  sd_gradient = std::move(at.sd_gradient.front());
}

void GpSurrogate::predict_with_gradients(const Eigen::MatrixXd& points, GradientPredictions& predictions) const {
  const Eigen::MatrixXd rows = points.transpose();
  const Index count = points.cols();
  predictions.mean.resize(draws(), count);
  predictions.sd.resize(draws(), count);
  predictions.mean_gradient.assign(static_cast<std::size_t>(count), Eigen::MatrixXd(features(), draws()));
  predictions.sd_gradient = predictions.mean_gradient;
  Eigen::VectorXd mean, variance;
  Eigen::MatrixXd mean_gradients, variance_gradients;
  for (Index s = 0; s < draws(); ++s) {
    process(s).predict_with_gradients(rows, mean, variance, mean_gradients, variance_gradients);
    predictions.mean.row(s) = mean.transpose();
    predictions.sd.row(s) = variance.array().sqrt().max(least_sd(process(s))).matrix().transpose();
    for (Index i = 0; i < count; ++i) {
      predictions.mean_gradient[static_cast<std::size_t>(i)].col(s) = mean_gradients.col(i);
      predictions.sd_gradient[static_cast<std::size_t>(i)].col(s) =
          variance_gradients.col(i) / (2 * predictions.sd(s, i));
    }
  }
}

void GpSurrogate::predict_jointly(const Eigen::MatrixXd& points, Index draw, Eigen::VectorXd& mean,
                                  Eigen::MatrixXd& covariance) const {
  process(draw).predict_jointly(points.transpose(), mean, covariance);
}

std::unique_ptr<CrossCovariance> GpSurrogate::covariance_with(const Eigen::MatrixXd& fixed) const {
  return std::make_unique<GpCovariance>(processes_, fixed);
}

std::unique_ptr<SamplePath> GpSurrogate::sample_path(Index draw, RandomStream stream) const {
  auto path = PosteriorPath::draw(process(draw), stream);
  return path ? std::make_unique<Path>(std::move(*path)) : nullptr;
}

}  // namespace tempera
